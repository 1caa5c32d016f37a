module headway.dev/spec/faults

go 1.19
