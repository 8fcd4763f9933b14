import { writeFile } from 'node:fs/promises'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { append } from './append.js'
import type { Benchmark, Figure, Machine } from './benchmark.js'
import { engine } from './engine/engine.js'
import { rowsOf } from './table.js'

const benchmarks: readonly Benchmark[] = [append, engine]
const options = ['--json', '--write']
const root = join(import.meta.dirname, '../..')

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
  const { page } = benchmark
  if (args.includes('--write') && page === undefined) {
    process.stderr.write(`The benchmark “${benchmark.name}” has no page to write.\n`)
    return 2
  }
  const figures = await benchmark.run(line => process.stderr.write(`  ${line}\n`))
  process.stdout.write(`\n${table(figures)}\n`)
  if (page && args.includes('--write')) await writeFile(join(root, page.path), page.text(figures, machine()))
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

function table(figures: readonly Figure[]): string {
  const lines = rowsOf(figures)
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0))) ?? []
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
