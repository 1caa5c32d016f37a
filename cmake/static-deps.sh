#!/bin/bash
# static-deps.sh NAME - build a lean static library from Debian's own source package.
# Debian's libcurl.a wants LDAP, SSH, Kerberos, HTTP/2 and more; ours speaks HTTP and HTTPS.
# Builds once into ${HEADWAY_CACHE:-~/.cache/headway}/NAME-<version>-<recipe>/ and prints that prefix
# as the last line of stdout. The version is that of the installed -dev package, so the headers
# that the other presets compile against are the same release, Debian's security patches included.
set -euo pipefail

cache=${HEADWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway}
flags="-Os -g0 -fno-pie -ffunction-sections -fdata-sections -fstack-protector-strong \
-fstack-clash-protection -D_FORTIFY_SOURCE=2"

recipe() { # the options of one library; a changed recipe is another cache entry
    local off=(
        USE_NGHTTP2 USE_LIBIDN2 CURL_USE_LIBPSL CURL_USE_LIBSSH CURL_USE_LIBSSH2 CURL_USE_GSSAPI
        CURL_ZLIB CURL_BROTLI CURL_ZSTD ENABLE_MANUAL ENABLE_UNIX_SOCKETS BUILD_CURL_EXE
        BUILD_SHARED_LIBS BUILD_TESTING CURL_WERROR
    )
    local on=(
        HTTP_ONLY CURL_USE_OPENSSL ENABLE_THREADED_RESOLVER CURL_DISABLE_COOKIES CURL_DISABLE_NTLM
        CURL_DISABLE_CRYPTO_AUTH CURL_DISABLE_ALTSVC CURL_DISABLE_HSTS CURL_DISABLE_DOH
        CURL_DISABLE_NETRC CURL_DISABLE_MIME CURL_DISABLE_LIBCURL_OPTION CURL_DISABLE_PROGRESS_METER
        CURL_DISABLE_GETOPTIONS CURL_DISABLE_SHUFFLE_DNS
        CURL_DISABLE_OPENSSL_AUTO_LOAD_CONFIG
    )
    printf -- '-D%s=OFF\n' "${off[@]}"
    printf -- '-D%s=ON\n' "${on[@]}"
    printf -- '-D%s\n' CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt CURL_CA_PATH=none
}

# apt_src WORK COMMAND...: apt-get that also knows source packages, with lists of its own.
apt_src() {
    local work=$1
    shift
    apt-get -qq -o APT::Sandbox::User="$(id -un)" -o Dir::Etc::SourceList="$work/etc/sources.list" \
        -o Dir::Etc::SourceParts="$work/etc/sources.list.d" -o Dir::State::Lists="$work/lists" \
        -o Dir::Cache="$work/cache" -o Acquire::Languages=none "$@"
}

# Debian keeps sources either as deb822 stanzas (*.sources) or as one line each (*.list).
copy_sources() {
    local work=$1 f
    mkdir -p "$work/etc/sources.list.d" "$work/lists/partial" "$work/cache/archives/partial"
    for f in /etc/apt/sources.list.d/*.sources; do
        [ -e "$f" ] || continue
        sed -E 's/^[Tt]ypes:.*/Types: deb-src/' "$f" >"$work/etc/sources.list.d/${f##*/}"
    done
    for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$f" ] || continue
        sed -nE 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$f" >>"$work/etc/sources.list"
    done
}

fetch() { # fetch WORK SOURCE VERSION: the unpacked, patched source in WORK/src
    local work=$1 source=$2 version=$3
    copy_sources "$work"
    apt_src "$work" update
    (cd "$work" && apt_src "$work" source "$source=$version") >"$work/log"
    mv "$work/$source"-*/ "$work/src"
}

build() { # build WORK PREFIX; ends at the first failure, also inside an if
    local options
    mapfile -t options < <(recipe)
    cmake -S "$1/src" -B "$1/build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags" -DCMAKE_EXE_LINKER_FLAGS=-no-pie \
        -DCMAKE_INSTALL_PREFIX="$2" -DCMAKE_INSTALL_LIBDIR=lib "${options[@]}" || return
    cmake --build "$1/build" || return
    cmake --install "$1/build"
}

name=${1:-}
case $name in
curl) dev=libcurl4-openssl-dev ;;
*)
    echo "usage: static-deps.sh curl" >&2
    exit 2
    ;;
esac
version=$(dpkg-query -W -f '${Version}' "$dev")
hash=$({ recipe && echo "$flags" && gcc -dumpfullversion; } | sha256sum | cut -c1-8)
prefix=$cache/$name-$version-$hash
mkdir -p "$cache"
exec 9>"$cache/$name.lock"
flock 9
if [ ! -e "$prefix/done" ]; then
    work=$(mktemp -d "${TMPDIR:-/tmp}/headway-$name.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    echo "static $name: fetching the source of $version" >&2
    fetch "$work" "$name" "$version"
    echo "static $name: building" >&2
    if ! build "$work" "$prefix" >>"$work/log" 2>&1; then
        tail -n 40 "$work/log" >&2
        exit 1
    fi
    touch "$prefix/done"
fi
echo "$prefix"
