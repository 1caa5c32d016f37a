/* kubeconfig.h - kubeconfig files to a hw_kube_config; config.h is the door. */
#ifndef HW_KUBE_KUBECONFIG_H
#define HW_KUBE_KUBECONFIG_H

#include <stdbool.h>

#include "kube/config.h"

/* paths: one or several with ':'. Files that don't exist are left out, but when all are missing that is an
 * error for must (the path was asked for), else 1. context NULL: current-context. Fills *c, which is freed
 * by the caller also on failure. */
HW_MUST_USE int hw_kubeconfig_load(const char *paths, bool must, const char *context,
                                   struct hw_kube_config *c, struct hw_err *err);

#endif
