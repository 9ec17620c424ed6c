#include "cli/app.h"

int main(int argc, char** argv) {
  return s3lt::run_app(argc, argv);
}
