// SPDX-License-Identifier: Apache-2.0
/// Precompiled for the unit tests.
#include "pch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
