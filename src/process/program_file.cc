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
#include <utility>

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

// Both, told apart.
std::pair<std::string, std::string> names_of(const Machine& one, const Machine& other) {
  if (one.number != other.number) return {one.name(), other.name()};
  const auto with_class = [](const Machine& machine) {
    return fmt::format("{} of {} bits", machine.name(), machine.bits == ELFCLASS32 ? 32 : 64);
  };
  return {with_class(one), with_class(other)};
}

// e_ident, e_type and e_machine are alike in both classes (elf(5)).
constexpr std::size_t head_bytes = offsetof(Elf64_Ehdr, e_machine) + sizeof(Elf64_Half);

// As much of a script as the kernel looks at (execve(2)).
constexpr std::size_t looked_at = 255;

std::string head_of(const fs::path& file) {
  std::string head(looked_at, '\0');
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

// "/bin/sh" of a script that begins with "#! /bin/sh -e".
std::string interpreter_in(std::string_view head) {
  head = head.substr(2, head.find('\n') - 2);
  head.remove_prefix(std::min(head.find_first_not_of(" \t"), head.size()));
  return std::string(head.substr(0, head.find_first_of(" \t")));
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
  if (status.type() != fs::file_type::regular) return wrong(fmt::format("{} is no file", file.string()));
  if (::access(file.c_str(), X_OK) != 0) return wrong(fmt::format("{} is not executable", file.string()));
  const std::string head = head_of(file);
  if (const auto machine = machine_in(head)) {
    const auto here = machine_in(head_of("/proc/self/exe"));
    if (here && *machine != *here) {
      const auto [its, ours] = names_of(*machine, *here);
      return wrong(fmt::format("{} is a program for another machine ({}), not for this one ({})",
                               file.string(), its, ours));
    }
  } else if (head.starts_with("#!")) {
    const std::string interpreter = interpreter_in(head);
    if (!fs::exists(interpreter, error)) {
      const bool dos = interpreter.ends_with('\r');
      return wrong(fmt::format(
          "{} is a script for {}, which does not exist{}", file.string(),
          interpreter.substr(0, interpreter.size() - (dos ? 1 : 0)),
          dos ? " with the carriage return behind it (the file has the line ends of Windows)" : ""));
    }
    if (::access(interpreter.c_str(), X_OK) != 0) {
      return wrong(fmt::format("{} is a script for {}, which is not executable", file.string(), interpreter));
    }
  } else if (!head.empty()) {  // one that may be run and not read is tried
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
