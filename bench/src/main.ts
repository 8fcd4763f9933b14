import { cpus } from 'node:os'
import { append } from './append.js'
import type { Benchmark, Figure } from './benchmark.js'

const benchmarks: readonly Benchmark[] = [append]

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json')
  const [name, ...more] = args.filter(arg => arg !== '--json')
  const benchmark = benchmarks.find(known => known.name === name)
  if (benchmark === undefined || more.length > 0) {
    const known = benchmarks.map(({ name, describe }) => `  ${name.padEnd(12)} ${describe}`).join('\n')
    const wrong = name === undefined ? '' : `There is no benchmark “${[name, ...more].join(' ')}”.\n\n`
    process.stderr.write(`${wrong}Usage: npm run bench -- NAME [--json]\n\n${known}\n`)
    return 2
  }
  const figures = await benchmark.run(line => process.stderr.write(`  ${line}\n`))
  process.stdout.write(`\n${table(figures)}\n`)
  if (json) {
    const cpu = cpus()
    const machine = {
      node: process.versions.node,
      cpu: `${cpu.length} × ${cpu[0]?.model.trim() ?? 'unknown'}`,
    }
    process.stdout.write(`${JSON.stringify({ bench: benchmark.name, ...machine, figures })}\n`)
  }
  return figures.every(({ ok }) => ok) ? 0 : 1
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, beside, ratio, atLeast, atMost, ok }) => [
    name,
    `${value} ${unit}`,
    `${beside.value} (${beside.name})`,
    `${ratio}×`,
    atLeast === undefined ? `at most ${atMost}×` : `at least ${atLeast}×`,
    ok ? 'ok' : 'NOT REACHED',
  ])
  const lines = [['figure', 'Grantlog', 'beside', 'ratio', 'bound', ''], ...rows]
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
