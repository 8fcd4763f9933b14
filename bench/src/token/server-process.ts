import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { serverCore } from './ground.js'

const stopMilliseconds = 15_000

export interface ServerProcess {
  readonly pid: number
  /** Asks the process over its channel and waits for the answer. */
  ask(question: object): Promise<unknown>
  stop(): Promise<void>
}

/**
 * A Node program, with options before it, on the core for servers; its words go to a log file. Returns once it sends its first message.
 * @throws Error when it ends before
 */
export async function startServer(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  logFile: string,
): Promise<ServerProcess> {
  const log = await open(logFile, 'a')
  const child = spawn('taskset', ['-c', String(serverCore), process.execPath, ...command], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  })
  await log.close()
  const ended = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), ended.then(() => undefined)])
  if (first === undefined) throw new Error(`${command.at(-1)} ended while starting: ${logFile} says why`)
  let turn: Promise<unknown> = Promise.resolve()
  return {
    pid: child.pid ?? 0,
    ask(question) {
      turn = turn.then(async () => {
        child.send(question)
        const [answer] = await once(child, 'message')
        return answer
      })
      return turn
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds)
      await ended
      clearTimeout(timer)
    },
  }
}
