import { readFile, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { append } from './append.js'
import type { Benchmark, Machine } from './benchmark.js'
import { engine } from './engine/engine.js'
import { guard } from './guard/guard.js'
import { revocation } from './revocation/revocation.js'
import { textTable } from './table.js'
import { profile } from './token/profile.js'
import { races } from './token/races.js'
import { token } from './token/token.js'

const benchmarks: readonly Benchmark[] = [append, engine, guard, revocation, token, races, profile]
const options = ['--json', '--write']
const page = join(import.meta.dirname, '../../docs/reference/performance.md')

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const [name, ...more] = args.filter(arg => !options.includes(arg))
  const benchmark = benchmarks.find(known => known.name === name)
  if (benchmark === undefined || more.length > 0) {
    const known = benchmarks.map(({ name, describe }) => `  ${name.padEnd(12)} ${describe}`).join('\n')
    const wrong = name === undefined ? '' : `There is no benchmark “${[name, ...more].join(' ')}”.\n\n`
    process.stderr.write(`${wrong}Usage: npm run bench -- NAME [--json] [--write]\n\n${known}\n`)
    return 2
  }
  const { section } = benchmark
  if (args.includes('--write') && section === undefined) {
    process.stderr.write(`The benchmark “${benchmark.name}” has no section of the page to write.\n`)
    return 2
  }
  const figures = await benchmark.run(line => process.stderr.write(`  ${line}\n`))
  for (const [group, some] of Object.entries(Object.groupBy(figures, ({ group = '' }) => group)))
    process.stdout.write(`\n${group && `${group}\n\n`}${textTable(some ?? [])}\n`)
  if (section && args.includes('--write')) await publish(benchmark.name, section(figures, machine()))
  if (args.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ bench: benchmark.name, ...machine(), figures })}\n`)
  }
  return figures.every(({ ok }) => ok) ? 0 : 1
}

function machine(): Machine {
  const cpu = cpus()
  return {
    node: process.versions.node,
    cpu: `${cpu.length} × ${cpu[0]?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    system: `${type()} ${release()}`,
  }
}

/** Puts a benchmark’s section in its place on the page. @throws Error when the page has no place for it */
async function publish(name: string, section: string): Promise<void> {
  const text = await readFile(page, 'utf8')
  const [begin, end] = [`<!-- npm run bench -- ${name} --write -->\n`, `<!-- end of ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${page} has no place for the section of “${name}”`)
  await writeFile(page, `${text.slice(0, from + begin.length)}\n${section}\n${text.slice(to)}`)
}
