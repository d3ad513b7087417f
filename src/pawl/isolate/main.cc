// pawl-guardian: see guardian.h.
#include "pawl/isolate/guardian.h"

int main(int argc, char** argv) {
  return pawl::guardian_main({argv + 1, argv + argc});
}
