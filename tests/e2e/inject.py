"""What somebody could do who has taken a worker over: system calls made
within a running process by ptrace(2) (x86-64); and a kernel without Landlock
or seccomp, by a filter that hides them."""

import ctypes
import os
import platform
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
PEEK, POKE, CONT, GETREGS, SETREGS, ATTACH, DETACH = 1, 4, 7, 12, 13, 16, 17
# Places in struct user_regs_struct.
R10, R9, R8, RAX, RDX, RSI, RDI, ORIG, RIP, RSP = (
    7, 8, 9, 10, 12, 13, 14, 15, 16, 19)
REGISTERS = 27
CALLS = {"open": 2, "socket": 41, "connect": 42, "fork": 57, "execve": 59,
         "kill": 62, "unlink": 87, "ptrace": 101, "getpid": 39,
         "prctl": 157, "rename": 82}


def ptrace(request, pid, address=0, data=0):
    ctypes.set_errno(0)
    result = LIBC.ptrace(request, pid, address, data)
    if ctypes.get_errno() and result == -1:
        raise OSError(ctypes.get_errno(), "ptrace %d: %s" % (
            request, os.strerror(ctypes.get_errno())))
    return result


class Taken:
    """with Taken(pid) as worker: worker.call("open", "/etc/passwd", 0)"""

    def __init__(self, pid):
        if platform.machine() != "x86_64" or os.getuid() != 0:
            from harness import Skip    # not where this is a program
            raise Skip("needs root on x86-64")
        self.pid = pid

    def __enter__(self):
        ptrace(ATTACH, self.pid)
        os.waitpid(self.pid, 0)
        self.before = self.registers()
        self.code = ptrace(PEEK, self.pid, self.before[RIP])
        return self

    def __exit__(self, *ignored):
        ptrace(POKE, self.pid, self.before[RIP], self.code)
        self.set_registers(self.before)
        ptrace(DETACH, self.pid)

    def registers(self):
        room = ctypes.create_string_buffer(8 * REGISTERS)
        ptrace(GETREGS, self.pid, 0, ctypes.addressof(room))
        return list(struct.unpack("%dQ" % REGISTERS, room.raw))

    def set_registers(self, values):
        room = ctypes.create_string_buffer(
            struct.pack("%dQ" % REGISTERS, *values))
        ptrace(SETREGS, self.pid, 0, ctypes.addressof(room))

    def call(self, name, *arguments):
        """The result, or minus the error number."""
        values, at = list(self.before), self.before[RSP] - 8192
        values[RAX], values[ORIG] = CALLS[name], 2 ** 64 - 1
        for place, value in zip((RDI, RSI, RDX, R10, R8, R9), arguments):
            if isinstance(value, str):
                value = value.encode() + b"\0"
            if isinstance(value, bytes):
                values[place] = at
                value += bytes(-len(value) % 8)
                for i in range(0, len(value), 8):
                    ptrace(POKE, self.pid, at,
                           struct.unpack("<q", value[i:i + 8])[0])
                    at += 8
            else:
                values[place] = value
        # syscall; int3
        ptrace(POKE, self.pid, self.before[RIP], 0xcc050f)
        self.set_registers(values)
        ptrace(CONT, self.pid)
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(status):
            raise AssertionError("%s ended it: %d" % (name, status))
        return ctypes.c_long(self.registers()[RAX]).value


def hide(numbers):
    """From now on, in this process and its children, these system calls do
    not exist (ENOSYS)."""
    code = [struct.pack("<HBBI", 0x20, 0, 0, 0)]
    for number in numbers:
        code += [struct.pack("<HBBI", 0x15, 0, 1, number),
                 struct.pack("<HBBI", 0x06, 0, 0, 0x00050000 | 38)]
    code.append(struct.pack("<HBBI", 0x06, 0, 0, 0x7fff0000))
    text = b"".join(code)
    room = ctypes.create_string_buffer(text, len(text))
    program = struct.pack("<H6xQ", len(code), ctypes.addressof(room))
    LIBC.prctl(38, 1, 0, 0, 0)
    if LIBC.prctl(22, 2, ctypes.c_char_p(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    # inject.py NUMBER,... PROGRAM...: run it on such a kernel
    hide([int(n) for n in sys.argv[1].split(",")])
    os.execv(sys.argv[2], sys.argv[2:])
