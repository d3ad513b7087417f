// The mailbox stands beside the ports: shells above every adapter own mailboxes, too.
#pragma once

#include "pawl/port/mailbox.h"  // IWYU pragma: export
