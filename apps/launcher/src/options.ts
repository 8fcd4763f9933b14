import { parseArgs } from 'node:util'

export interface Options {
  readonly transport: 'embedded' | 'kafka'
  /** Temporary data, the proof, then stop. */
  readonly once: boolean
  /** Last line of stdout is one JSON object. */
  readonly json: boolean
  /** Forget the data of earlier starts. */
  readonly fresh: boolean
  /** Restart services when their build changes. */
  readonly dev: boolean
  /** Where data is kept between starts; undefined: `.grantlog` beside the code. */
  readonly data: string | undefined
  /** Processes of each service that has a database; the sample application keeps its sessions in memory. */
  readonly instances: number
  /** The five ports are this one and the four after it. */
  readonly portBase: number
}

/** Temporary data and free ports: for those who start a system from a program. */
export const temporary = (transport: Options['transport']): Options => ({
  transport,
  once: true,
  json: false,
  fresh: false,
  dev: false,
  data: undefined,
  instances: 1,
  portBase: 4000,
})

export const usage = `Usage: npm start -- [options]

  --once            temporary data and free ports; start everything, prove it, stop; exit code 0 or 1
  --json            with --once: the last line is one JSON object
  --fresh           forget the data of earlier starts
  --data FOLDER     keep the data there instead of in .grantlog
  --port-base N     use the ports N to N+4 instead of 4000 to 4004
  --instances N     N processes of each service but the sample application, behind a balancer
  --help            this text

On a real Kafka: npm run start:kafka -- [options]. KAFKA_BROKERS names it; else a local one is started (needs Java 17).`

/** A mistake in how the program was called, in one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError */
export function readOptions(args: string[]): Options | 'help' {
  const values = parse(args)
  if (values.help) return 'help'
  if (values.json && !values.once) throw new UsageError('--json only goes with --once.')
  if (values.fresh && values.once)
    throw new UsageError('--once always begins anew: --fresh has nothing to add.')
  if (values.dev && values.once) throw new UsageError('--dev and --once contradict each other.')
  if (values.data !== undefined && values.once)
    throw new UsageError('--once keeps no data: --data has nothing to add.')
  if (values.data === '') throw new UsageError('--data needs the path of a folder.')
  if (values['port-base'] !== undefined && values.once)
    throw new UsageError('--once uses free ports: --port-base has nothing to add.')
  if (!/^[1-8]$/.test(values.instances))
    throw new UsageError(`--instances must be a number from 1 to 8, not “${values.instances}”.`)
  const text = values['port-base'] ?? '4000'
  const portBase = Number(text)
  if (!/^\d+$/.test(text) || portBase < 1024 || portBase > 65_000) {
    throw new UsageError(`--port-base must be a number from 1024 to 65000, not “${text}”.`)
  }
  const { once, json, fresh, dev, kafka, data } = values
  const instances = Number(values.instances)
  return { transport: kafka ? 'kafka' : 'embedded', once, json, fresh, dev, data, instances, portBase }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        kafka: { type: 'boolean', default: false },
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        dev: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        data: { type: 'string' },
        instances: { type: 'string', default: '1' },
        'port-base': { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
