package suite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// What a function costs is counted in instructions, which neither load nor heat nor the
// place of things in memory changes: a tracer, this program once more, has the processor
// stop after each instruction of the thread that runs the function (ptrace(2),
// PTRACE_SINGLESTEP). All other threads stand still, so that neither a preemption nor the
// garbage collector is counted. It takes some microseconds for each instruction.

// tracerVariable, in the environment, says that the program is to trace the process of that
// number.
const tracerVariable = "BERTH_BENCH_TRACES"

// What the traced thread sends itself when the function begins and when it is over. They
// never arrive.
const (
	beginSignal = syscall.SIGUSR1
	endSignal   = syscall.SIGUSR2
)

// patience is for how long a thread may take to get on by some instructions: if it waits
// for one of those that stand still, it would wait for ever.
const patience = 3 * time.Second

// ServeTracer makes the program the tracer, and ends it, if that is what it was started
// for. A main that counts instructions, by Run, calls it first.
func ServeTracer() {
	text := os.Getenv(tracerVariable)
	if text == "" {
		return
	}
	pid, err := strconv.Atoi(text)
	if err == nil {
		err = serve(pid)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "berth: tracing:", err)
		os.Exit(3)
	}
	os.Exit(0)
}

// serve traces threads whose numbers it reads, until there are no more, and writes how many
// instructions each has run.
func serve(pid int) error {
	runtime.LockOSThread()                                       // a thread is traced by a thread
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // it ends when the traced program does
	var request [4]byte
	for {
		if n, err := os.Stdin.Read(request[:]); n == 0 {
			return nil
		} else if err != nil {
			return err
		}
		steps, err := trace(pid, int(binary.LittleEndian.Uint32(request[:])))
		if err != nil {
			return err
		}
		if err := binary.Write(os.Stdout, binary.LittleEndian, steps); err != nil {
			return err
		}
	}
}

// trace counts the instructions of a thread between its signals, from when it is told to
// go on.
func trace(pid, tid int) (steps uint64, err error) {
	tr := &tracing{pid: pid, tid: tid}
	// A thread that is stopped can be let go, one that waits for others can't.
	stuck := time.AfterFunc(patience, func() { signalThread(pid, tid, syscall.SIGSTOP) })
	defer stuck.Stop()
	defer tr.free()
	if tr.stopped, err = stop(nil, tid); err != nil {
		return 0, err
	}
	if tr.stopped, err = stopAll(tr.stopped, pid); err != nil {
		return 0, err
	}
	defer share(tid)()
	if _, err := os.Stdout.Write([]byte{1}); err != nil {
		return 0, err
	}
	for sig := syscall.Signal(0); sig != beginSignal; {
		if sig, err = tr.next(func() error { return syscall.PtraceCont(tid, 0) }); err != nil {
			return 0, err
		}
	}
	for sig := syscall.Signal(0); sig != endSignal; {
		if sig, err = tr.next(func() error { return syscall.PtraceSingleStep(tid) }); err != nil {
			return 0, err
		}
		if sig == syscall.SIGTRAP {
			if steps++; steps%100 == 0 {
				stuck.Reset(patience)
			}
		}
	}
	return steps, nil
}

// tracing is the state of trace.
type tracing struct {
	pid, tid int
	stopped  []int            // threads
	kept     []syscall.Signal // that were for the program
}

// next has the thread go on, and returns for which signal it stops. It doesn't get the
// signal.
func (tr *tracing) next(goOn func() error) (syscall.Signal, error) {
	if err := goOn(); err != nil {
		return 0, fmt.Errorf("going on: %w", err)
	}
	sig, err := wait(tr.tid)
	switch {
	case err != nil:
		return 0, err
	case sig == syscall.SIGSTOP:
		return 0, errors.New("the thread waits for others that stand still")
	case sig == syscall.SIGINT || sig == syscall.SIGTERM || sig == syscall.SIGHUP:
		tr.kept = append(tr.kept, sig)
	}
	return sig, nil
}

// free lets all threads go, and passes on signals.
func (tr *tracing) free() {
	for _, tid := range tr.stopped {
		syscall.PtraceDetach(tid)
	}
	for _, sig := range tr.kept {
		syscall.Kill(tr.pid, sig)
	}
}

// signalThread sends a signal to one thread.
func signalThread(pid, tid int, sig syscall.Signal) {
	syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(pid), uintptr(tid), uintptr(sig))
}

// stop stops a thread, and adds it to those that are.
func stop(stopped []int, tid int) ([]int, error) {
	if err := syscall.PtraceAttach(tid); err != nil {
		return stopped, fmt.Errorf("attaching to thread %d: %w", tid, err)
	}
	stopped = append(stopped, tid)
	_, err := wait(tid)
	return stopped, err
}

// share has the calling thread and another run on the same processor, as they take turns:
// waking another processor takes many times longer. What it returns undoes it.
func share(tid int) func() {
	var was, one [128]byte
	affinity := func(call, thread uintptr, set *[128]byte) syscall.Errno {
		_, _, errno := syscall.RawSyscall(call, thread, unsafe.Sizeof(*set), uintptr(unsafe.Pointer(set)))
		return errno
	}
	if affinity(syscall.SYS_SCHED_GETAFFINITY, uintptr(tid), &was) != 0 {
		return func() {}
	}
	for i := len(was) - 1; i >= 0; i-- { // the last processor: the first has the most to do
		if was[i] != 0 {
			one[i] = 1 << (bits.Len8(was[i]) - 1)
			break
		}
	}
	affinity(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), &one)
	affinity(syscall.SYS_SCHED_SETAFFINITY, 0, &one)
	return func() {
		affinity(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), &was)
		affinity(syscall.SYS_SCHED_SETAFFINITY, 0, &was)
	}
}

// stopAll stops all threads of a process that are not stopped yet, those that it starts
// meanwhile included.
func stopAll(stopped []int, pid int) ([]int, error) {
	for {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return stopped, err
		}
		before := len(stopped)
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil || slices.Contains(stopped, tid) {
				continue
			}
			if stopped, err = stop(stopped, tid); err != nil {
				return stopped, err
			}
		}
		if len(stopped) == before {
			return stopped, nil
		}
	}
}

// waitAll is __WALL: any thread may be waited for.
const waitAll = 0x40000000

// wait waits until a thread stops, and returns for which signal.
func wait(tid int) (syscall.Signal, error) {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(tid, &status, waitAll, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("waiting for thread %d: %w", tid, err)
		case !status.Stopped():
			return 0, fmt.Errorf("thread %d has ended", tid)
		}
		return status.StopSignal(), nil
	}
}

// A stepper counts instructions, with the tracer's help.
type stepper struct {
	tracer  *os.Process
	ask     *os.File
	answer  *os.File
	nothing uint64 // instructions of a function that does nothing
}

// setPtracer is PR_SET_PTRACER: where ptrace is restricted, the tracer must be allowed to.
const setPtracer = 0x59616d61

// newStepper starts a tracer. It may not be allowed to trace: that is an error.
func newStepper() (*stepper, error) {
	st := &stepper{}
	if err := st.start(); err != nil {
		return nil, err
	}
	nothing, err := st.once(func() {})
	if err != nil {
		st.close()
		return nil, err
	}
	st.nothing = nothing
	return st, nil
}

// start starts the tracer.
func (st *stepper) start() error {
	in, ask, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting a tracer: %w", err)
	}
	defer in.Close()
	answer, out, err := os.Pipe()
	if err != nil {
		ask.Close()
		return fmt.Errorf("starting a tracer: %w", err)
	}
	defer out.Close()
	tracer, err := os.StartProcess("/proc/self/exe", os.Args[:1], &os.ProcAttr{
		Env:   append(os.Environ(), tracerVariable+"="+strconv.Itoa(os.Getpid())),
		Files: []*os.File{in, out, nil},
	})
	if err != nil {
		ask.Close()
		answer.Close()
		return fmt.Errorf("starting a tracer: %w", err)
	}
	st.tracer, st.ask, st.answer = tracer, ask, answer
	syscall.RawSyscall(syscall.SYS_PRCTL, setPtracer, uintptr(tracer.Pid), 0)
	return nil
}

// close ends the tracer.
func (st *stepper) close() {
	st.ask.Close()
	st.answer.Close()
	st.tracer.Wait()
}

// count returns how many instructions a function takes.
func (st *stepper) count(run func()) (steps uint64, err error) {
	for range attempts {
		if steps, err = st.once(run); err == nil {
			return steps - min(steps, st.nothing), nil
		}
		st.close()
		if err := st.start(); err != nil {
			return 0, err
		}
	}
	return 0, err
}

// yield calls itself so many times, and counts the calls: where a function begins, a
// goroutine can be preempted.
//
//go:noinline
func yield(calls *int, times int) {
	if *calls++; times > 0 {
		yield(calls, times-1)
	}
}

// once returns how many instructions a function takes, and a few more, which depend on
// nothing.
func (st *stepper) once(run func()) (uint64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	rate := runtime.MemProfileRate // a sample of an allocation takes thousands of instructions
	runtime.MemProfileRate = 0
	defer func() { runtime.MemProfileRate = rate }()
	tid := syscall.Gettid()
	ask, answer := int(st.ask.Fd()), int(st.answer.Fd())
	var request [4]byte
	binary.LittleEndian.PutUint32(request[:], uint32(tid))
	if _, err := syscall.Write(ask, request[:]); err != nil {
		return 0, err
	}
	var reply [8]byte
	// As far as the runtime knows this is no system call, so that no other thread takes over.
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(answer), uintptr(unsafe.Pointer(&reply)), 1)
	if n != 1 {
		return 0, fmt.Errorf("the tracer doesn't answer: %w", errors.Join(errno, os.ErrProcessDone))
	}
	// Now no other thread runs: if a preemption has been asked for, which shall not be
	// counted, this one must go on with the goroutine.
	pid := os.Getpid()
	runtime.UnlockOSThread()
	yield(new(int), 100)
	signalThread(pid, tid, beginSignal)
	run()
	signalThread(pid, tid, endSignal)
	runtime.LockOSThread()
	if n, err := syscall.Read(answer, reply[:]); n != 8 {
		return 0, fmt.Errorf("the tracer has stopped: %w", errors.Join(err, os.ErrProcessDone))
	}
	return binary.LittleEndian.Uint64(reply[:]), nil
}
