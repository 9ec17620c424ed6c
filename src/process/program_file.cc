#include "process/program_file.h"

#include <elf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>

namespace s3lt {
namespace fs = std::filesystem;
namespace {

struct Machine {
  unsigned char bits = 0;  // ELFCLASS32 or 64
  Elf64_Half number = 0;   // EM_X86_64 and so on, in the file's byte order as this machine reads it
  bool operator==(const Machine&) const = default;
  std::string name() const {
    switch (number) {
      case EM_X86_64:
        return "x86_64";
      case EM_386:
        return "i386";
      case EM_AARCH64:
        return "aarch64";
      case EM_ARM:
        return "arm";
      case EM_RISCV:
        return "riscv";
      case EM_PPC64:
        return "ppc64";
      case EM_S390:
        return "s390";
      default:
        return fmt::format("machine {}", number);
    }
  }
};

// e_ident, e_type and e_machine are alike in both classes (elf(5)).
constexpr std::size_t head_bytes = offsetof(Elf64_Ehdr, e_machine) + sizeof(Elf64_Half);

std::string head_of(const fs::path& file) {
  std::string head(head_bytes, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return head;
}

std::optional<Machine> machine_in(const std::string& head) {
  if (head.size() < head_bytes || !head.starts_with(ELFMAG)) return std::nullopt;
  Machine machine{.bits = static_cast<unsigned char>(head[EI_CLASS])};
  std::memcpy(&machine.number, head.data() + offsetof(Elf64_Ehdr, e_machine), sizeof machine.number);
  return machine;
}

std::unexpected<Error> wrong(std::string sentence) {
  return usage_error(std::move(sentence));
}

Result<fs::path> runs_here(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) return wrong(fmt::format("there is no {}", file.string()));
  if (error) return wrong(fmt::format("cannot look at {}: {}", file.string(), error.message()));
  if (status.type() == fs::file_type::directory)
    return wrong(fmt::format("{} is a directory", file.string()));
  if (::access(file.c_str(), X_OK) != 0) return wrong(fmt::format("{} is not executable", file.string()));
  const std::string head = head_of(file);
  if (const auto machine = machine_in(head)) {
    const auto here = machine_in(head_of("/proc/self/exe"));
    if (here && *machine != *here) {
      return wrong(fmt::format("{} is a program for another machine ({}), not for this one ({})",
                               file.string(), machine->name(), here->name()));
    }
  } else if (!head.starts_with("#!") && !head.empty()) {  // one that may be run and not read is tried
    return wrong(fmt::format("{} is no program of Linux", file.string()));
  }
  return fs::absolute(file, error).lexically_normal();
}

}  // namespace

Result<fs::path> find_program(std::string_view name, std::string_view path) {
  if (name.find('/') != name.npos) return runs_here(name);
  std::optional<fs::path> unusable;
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string_view directory = rest.substr(0, colon);
    rest.remove_prefix(std::min(colon + 1, rest.size()));
    const fs::path file = fs::path(directory.empty() ? "." : directory) / name;
    std::error_code error;
    if (!fs::is_regular_file(file, error)) continue;
    if (::access(file.c_str(), X_OK) == 0) return runs_here(file);
    if (!unusable) unusable = file;
  }
  if (unusable) return runs_here(*unusable);
  return wrong(fmt::format("there is no {} in PATH", name));
}

}  // namespace s3lt
