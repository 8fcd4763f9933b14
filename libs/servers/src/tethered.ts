import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/**
 * Starts a server that ends when this program does, however it ends, and that Ctrl-C in the terminal does not reach: our
 * program stops it in its own time. The child has the server's own pid.
 * @param signal what asks the server to stop
 */
export function spawnTethered(
  command: string,
  args: readonly string[],
  signal: 'INT' | 'TERM',
  options: SpawnOptions = {},
): ChildProcess {
  if (process.platform === 'win32')
    return spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  // The shell becomes the server; what it leaves behind waits for our end of the pipe to close.
  const script = `exec 3<&0; (read _ <&3 || kill -${signal} $$) >/dev/null 2>&1 & exec "$0" "$@" </dev/null 3<&-`
  const child = spawn('sh', ['-c', script, command, ...args], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  child.stdin?.on('error', () => undefined) // the server was gone first
  child.once('exit', () => child.stdin?.end('exited\n'))
  return child
}

/** Asks, waits, and at last kills. Returns when it has ended. */
export async function stopProcess(
  child: ChildProcess,
  signal: NodeJS.Signals,
  graceMilliseconds = 15_000,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMilliseconds)
  await ended
  clearTimeout(timer)
}
