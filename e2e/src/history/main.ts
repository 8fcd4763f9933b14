import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { run } from './run.js'

const usage = `Usage: npm run soak -- [options]

  --minutes N   how long clients work and things go wrong (default: 5)
  --seed N      the same operations and faults as in an earlier run (default: a new one)
  --kafka       events go through Kafka (needs Java 17), not through the databases`

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const { minutes, seed, kafka } = read(args)
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  const told = (line: string) => void process.stdout.write(`  ${line}\n`)
  const transport = kafka ? 'kafka' : 'embedded'
  told(`seed ${seed}, ${minutes} minutes, ${transport}`)
  const { findings, file } = await run({ seed, milliseconds: minutes * 60_000, transport, told })
  for (const finding of findings) process.stdout.write(`✗ ${finding}\n`)
  const again = `npm run soak -- --seed ${seed} --minutes ${minutes}${kafka ? ' --kafka' : ''}`
  told(
    findings.length === 0
      ? `✓ nothing lost, nothing doubled, nothing wrong (${file})`
      : `${findings.length} findings; history and logs: ${file}; again: ${again}`,
  )
  return findings.length === 0 ? 0 : 1
}

function read(args: string[]): { minutes: number; seed: number; kafka: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        minutes: { type: 'string', default: '5' },
        seed: { type: 'string', default: String(randomInt(1, 1_000_000)) },
        kafka: { type: 'boolean', default: false },
      },
    })
    return { minutes: Number(values.minutes), seed: Number(values.seed), kafka: values.kafka }
  } catch {
    return { minutes: Number.NaN, seed: Number.NaN, kafka: false }
  }
}
