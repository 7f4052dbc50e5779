// SPDX-License-Identifier: Apache-2.0
// A source file for the target that compiles the shared header.
