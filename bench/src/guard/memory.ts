import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Figure, figure } from '../benchmark.js'
import type { Remembered } from './memory-process.js'

const run = promisify(execFile)

/** Each in a process of its own, whose heap holds nothing else. */
export async function measureMemory(told: (line: string) => void): Promise<Figure[]> {
  const few = await measured('revocations', 1000)
  const many = await measured('revocations', 1_000_000)
  const tokens = await measured('tokens', 10_000)
  told(
    `bytes: ${few.bytes.toFixed(0)} and ${many.bytes.toFixed(0)} per target, ${tokens.bytes.toFixed(0)} per token`,
  )
  const beside = (name: 'hit' | 'miss') => ({ ours: many[name], peer: few[name], peerName: '1,000 revoked' })
  return [
    figure('Memory per revoked target, of 1,000,000', 'bytes', { ours: many.bytes }, { valueAtMost: 120 }),
    figure('Look-up of a token that is revoked, of 1,000,000', 'ns', beside('hit'), {}),
    figure('Look-up of a token that is not', 'ns', beside('miss'), { valueAtMost: 5000 }),
    figure('Memory per token that is not verified again', 'bytes', { ours: tokens.bytes }, {}),
  ]
}

async function measured(what: string, count: number): Promise<Remembered> {
  const program = join(import.meta.dirname, 'memory-process.js')
  const { stdout } = await run(process.execPath, ['--expose-gc', program, what, String(count)])
  return JSON.parse(stdout) as Remembered
}
