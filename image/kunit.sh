#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The job image's entry: judges the kernel tree in the current folder. Arguments go to `bowsprit run`; see bowsprit run --help.
exec bowsprit run "$@"
