import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Service } from '@grantlog/contracts'
import type { Finding } from '@grantlog/eventing'
import { z } from 'zod'

const answer = z.object({
  findings: z.array(
    z.object({
      check: z.string(),
      service: z.enum(['clients', 'consent', 'token']),
      ok: z.boolean(),
      severity: z.enum(['info', 'warning', 'error']),
      what: z.string(),
      todo: z.string(),
    }),
  ),
})

/** Asks the service's own program about its folded states: only its code can replay them. */
export async function examineStates(service: Service, database: string): Promise<Finding[]> {
  const main = join(import.meta.dirname, `../../${service}/dist/main.js`)
  const about = (ok: boolean, what: string, todo: string): Finding[] => [
    { check: 'folded-states', service, ok, severity: ok ? 'info' : 'error', what, todo },
  ]
  const elsewhere = `run node main.js doctor where the program of ${service} is`
  if (!existsSync(main)) return about(true, `folded states were not looked at: ${elsewhere}`, '')
  const { out, err } = await run(main, database)
  try {
    return answer.parse(JSON.parse(out)).findings
  } catch {
    // it said nothing that is an answer: its own words tell more than ours
    return about(false, `folded states could not be looked at: ${err.trim()}`, `To see more, ${elsewhere}.`)
  }
}

async function run(main: string, database: string): Promise<{ out: string; err: string }> {
  const child = spawn(process.execPath, [main, 'doctor'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, DATABASE_URL: database },
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return said
}
