import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from './installation.js'

export interface Rebuilder {
  stop(): Promise<void>
}

/** Builds what changes, and whatever depends on it, until it is stopped. The compiler's complaints go to `told`, a line each. */
export function rebuildOnChange(told: (line: string) => void): Rebuilder {
  const turbo = createRequire(join(root, 'package.json')).resolve('turbo/bin/turbo')
  // its own process group: Ctrl-C in the terminal reaches the launcher, which stops it
  const child = spawn(
    process.execPath,
    [turbo, 'watch', 'build', '--ui=stream', '--output-logs=new-only', '--no-update-notifier'],
    {
      cwd: root,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  )
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.on('data', (data: Buffer) => {
      const lines = (rest + data.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (/\berror TS\d+/.test(line)) told(line.trim())
    })
  }
  const exited = new Promise<void>(resolve => {
    child.once('error', error => {
      told(`Nothing is rebuilt: ${error.message}`)
      resolve()
    })
    child.once('exit', () => resolve())
  })
  return {
    async stop() {
      const { pid } = child
      if (pid === undefined || child.exitCode !== null) return
      process.kill(-pid, 'SIGKILL') // it has nothing to lose, and does not always end when it is asked to
      await exited
    },
  }
}
