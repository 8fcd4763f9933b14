import type { ProofStep } from '@grantlog/demonstration'
import { bold, dim, green, red, say } from './console.js'
import { grantsUrlOf } from './environment.js'
import { type Demo, Installation } from './installation.js'
import { type Options, readOptions, UsageError, usage } from './options.js'
import { type Proof, prove } from './proof.js'
import { System } from './system.js'

const nothingProved: Proof = { ok: false, steps: [], revokedToDeniedMs: null, log: [] }

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  let options: Options | 'help' | undefined
  try {
    options = readOptions(args)
    if (options === 'help') {
      say(usage)
      return 0
    }
    return await run(options)
  } catch (error) {
    const usageToo = error instanceof UsageError ? `\n\n${usage}` : ''
    process.stderr.write(
      `\n${red('✗')} ${error instanceof Error ? error.message : String(error)}${usageToo}\n`,
    )
    // who reads the last line gets one, however far it went
    if (typeof options === 'object' && options.json) say(JSON.stringify(summary(nothingProved, options)))
    return error instanceof UsageError ? 2 : 1
  }
}

async function run(options: Options): Promise<number> {
  say(
    `\n${bold('Grantlog')} ${dim(`on ${options.transport === 'kafka' ? 'Kafka' : 'the embedded transport'}`)}\n`,
  )
  const installation = await Installation.open(options)
  const system = new System(installation, options)
  const interrupted = new Promise<'interrupted'>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve('interrupted'))
  })
  try {
    const work = startAndProve(system, installation, options)
    const proof = await Promise.race([work, interrupted])
    if (proof === 'interrupted') {
      await work.catch(() => undefined) // what was starting is stopped below
      return 130
    }
    if (!options.once) {
      tell(installation, proof)
      await interrupted
      say('\n  stopping')
    }
    await system.stop()
    if (options.json) say(JSON.stringify(summary(proof.proof, options)))
    return proof.proof.ok ? 0 : 1
  } finally {
    await system.stop()
  }
}

async function startAndProve(
  system: System,
  installation: Installation,
  options: Options,
): Promise<{ proof: Proof; demo: Demo }> {
  const { backbone, demo } = await system.start()
  say(`\n${bold('The proof')} ${dim('what a client and a person do, over HTTP')}\n`)
  const proof = await prove(installation, backbone, demo, tellStep)
  for (const { time, source, logSeq, type, streamId } of proof.log) {
    say(
      dim(
        `      ${time.slice(11, 23)}  ${source.padEnd(8)}${String(logSeq).padStart(4)}  ${type.padEnd(20)} ${streamId}`,
      ),
    )
  }
  if (proof.ok)
    say(`\n  ${green('✓')} ${bold('proved')}${options.once ? '' : dim(' — everything keeps running')}`)
  else
    say(
      `\n  ${red('✗')} ${bold('not proved')}: see the failed step; the services’ own words are in ${installation.folder}/*.log`,
    )
  return { proof, demo }
}

function tellStep({ name, ok, ms, detail }: ProofStep): void {
  say(
    `  ${ok ? green('✓') : red('✗')} ${name.padEnd(14)} ${dim(`${String(ms).padStart(5)} ms`)}  ${ok ? dim(detail) : detail}`,
  )
}

function tell(installation: Installation, { demo }: { demo: Demo }): void {
  say(`
  ${bold('Open')}
    ${installation.url('sample-client').padEnd(32)} the sample application, with its two faces
    ${grantsUrlOf(installation).padEnd(32)} your grants
    ${`${installation.url('token')}/.well-known/oauth-authorization-server`}
                                     what clients read first (RFC 8414)

  ${bold('Sign in as')}
    ${demo.person.email}   ${demo.person.password}   ${dim(`${demo.person.name}, for herself or for ${demo.company.name}`)}

  ${bold('Try')}
    npx grantlog log --follow        the event log, as it happens
    ${dim('kill -9 a service: it comes back, and nothing is lost')}

  ${dim(`Data stays in ${installation.folder}. Ctrl-C stops everything.`)}`)
}

function summary(proof: Proof, options: Options): object {
  return {
    ok: proof.ok,
    steps: proof.steps.map(({ name, ok, ms }) => ({ name, ok, ms })),
    revokedToDeniedMs: proof.revokedToDeniedMs,
    transport: options.transport,
  }
}
