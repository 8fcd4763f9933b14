import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ticksPerSecond = 100

/** The processor time that a process has used, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const [, , user, system] = await stat(pid)
    return user + system
  }
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'time='])
  return stdout
    .trim()
    .split(':')
    .reduce((total, part) => total * 60 + Number(part), 0)
}

/** The processor time of a process and of all its children, also of those that have ended, in seconds. Linux only. */
export async function cpuSecondsOfTree(pid: number): Promise<number> {
  const [, , ...own] = await stat(pid)
  let total = own.reduce((sum, part) => sum + part, 0)
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const [parent, , user, system] = await stat(Number(entry)).catch(() => ended)
    if (parent === pid) total += user + system
  }
  return total
}

/** The memory that a process holds, in MiB. Linux only. */
export async function residentMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

/** Lets a process, with all its threads and whatever it starts from now on, run on one core only. Linux only. */
export async function pin(pid: number, core: number): Promise<void> {
  await run('taskset', ['-acp', String(core), String(pid)])
}

type Stat = readonly [parent: number, pid: number, user: number, system: number, ...ofEndedChildren: number[]]
const ended: Stat = [0, 0, 0, 0]

async function stat(pid: number): Promise<Stat> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const seconds = (field: number) => Number(fields[field]) / ticksPerSecond
  return [Number(fields[1]), pid, seconds(11), seconds(12), seconds(13), seconds(14)]
}
