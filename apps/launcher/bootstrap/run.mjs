import { spawn } from 'node:child_process'
import { root } from './install.mjs'

/** Runs a program in our place: its output is ours, signals go to it, its exit code becomes ours. */
export function become(command, args, env = {}) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // from the terminal, Ctrl-C reaches the child too: it stops in its own time, and we wait
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.once('error', error => {
    process.stderr.write(`✗ ${error.message}\n`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
}
