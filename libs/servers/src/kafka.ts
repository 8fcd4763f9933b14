import { type ChildProcess, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { java, javaVersion, kafkaHome, kafkaVersion } from './kafka-home.js'
import { countBrokers } from './kafka-metadata.js'
import { freePorts } from './ports.js'
import { spawnTethered, stopProcess } from './tethered.js'

const startMilliseconds = 60_000
const jvmFlags = [
  '-Xms64m',
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Xlog:disable',
]

export interface KafkaBroker {
  readonly brokers: readonly string[]
  readonly port: number
  readonly pid: number
  /** The password of each user, where it asks for one. */
  readonly passwords: Readonly<Record<string, string>>
  stop(): Promise<void>
  /** `kill -9`; `restart` brings it back on the same port with the same data. */
  kill(): Promise<void>
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  resume(): void
}

/**
 * A real single-node Kafka (KRaft), its jars resolved by Maven once into the user's cache folder.
 * @throws Error with a sentence that says what to do
 */
export async function startKafka(options: {
  dir: string
  port?: number
  /** The port that clients are told of, where a proxy stands before the broker. Default: its own. */
  advertisedPort?: number
  /** Asks for a login, of `admin` or one of these (SCRAM-SHA-512), and allows what an ACL says; only `admin` may do anything. */
  users?: readonly string[]
  /** As PEM; then it speaks TLS. With `users`. */
  tls?: { key: string; certificate: string }
}): Promise<KafkaBroker> {
  const { dir } = options
  const home = await kafkaHome()
  await mkdir(dir, { recursive: true })
  const properties = join(dir, 'server.properties')
  const passwords = options.users ? await passwordsOf(dir, ['admin', ...options.users]) : {}
  const port = await configure(dir, properties, options, passwords)
  const command = javaCommand(home)
  format(command, properties, dir, passwords)
  const answers = options.users ? async () => true : async () => (await countBrokers(port)) > 0
  let child = await start(command, properties, port, dir, answers)
  return {
    brokers: [`127.0.0.1:${port}`],
    port,
    passwords,
    get pid() {
      return child.pid ?? 0
    },
    stop: () => stopProcess(child, 'SIGTERM'),
    kill: () => stopProcess(child, 'SIGKILL'),
    async restart() {
      await stopProcess(child, 'SIGTERM')
      child = await start(command, properties, port, dir, answers)
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

type JavaCommand = (main: string, ...args: string[]) => string[]

function javaCommand(home: string): JavaCommand {
  const libs = join(home, 'libs')
  const jars = readdirSync(libs)
    .filter(file => file.endsWith('.jar'))
    .sort()
    .map(file => join(libs, file))
  // Kafka unmaps files by sun.misc.Unsafe, of which newer Javas warn
  const allow = javaVersion() >= 24 ? ['--sun-misc-unsafe-memory-access=allow'] : []
  const log = `-Dlog4j2.configurationFile=${join(home, 'log4j2.properties')}`
  return (main, ...args) => [...jvmFlags, ...allow, log, '-cp', jars.join(delimiter), main, ...args]
}

/** Ports live with the data, so that a restart keeps them. */
async function configure(
  dir: string,
  properties: string,
  wanted: Pick<Parameters<typeof startKafka>[0], 'port' | 'advertisedPort' | 'users' | 'tls'>,
  passwords: KafkaBroker['passwords'],
): Promise<number> {
  const known =
    existsSync(properties) &&
    /^listeners=\w+:\/\/127\.0\.0\.1:(\d+)/m.exec(readFileSync(properties, 'utf8'))?.[1]
  if (known) return Number(known)
  const [first = 0, controller = 0] = await freePorts(2)
  const port = wanted.port ?? first
  const listener = wanted.tls ? 'SASL_SSL' : wanted.users ? 'SASL_PLAINTEXT' : 'PLAINTEXT'
  const one = (names: string[]) => names.map(name => `${name}=1`)
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    'controller.listener.names=CONTROLLER',
    `listeners=${listener}://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=${listener}://127.0.0.1:${wanted.advertisedPort ?? port}`,
    `listener.security.protocol.map=${listener}:${listener},CONTROLLER:PLAINTEXT`,
    `inter.broker.listener.name=${listener}`,
    ...(wanted.users ? loginLines(listener, passwords) : []),
    ...(wanted.tls ? tlsLines(wanted.tls) : []),
    `log.dirs=${join(dir, 'data')}`,
    'auto.create.topics.enable=false',
    ...one([
      'offsets.topic.replication.factor',
      'offsets.topic.num.partitions',
      'transaction.state.log.replication.factor',
      'transaction.state.log.min.isr',
      'transaction.state.log.num.partitions',
      'share.coordinator.state.topic.replication.factor',
      'share.coordinator.state.topic.min.isr',
      'share.coordinator.state.topic.num.partitions',
    ]),
    // killed, a broker waits for its own old registration to time out: 9 s by default
    'broker.session.timeout.ms=2000',
    'broker.heartbeat.interval.ms=250',
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    'log.cleaner.dedupe.buffer.size=4194304',
    'log.cleaner.io.buffer.size=131072',
    'log.index.size.max.bytes=1048576',
    'num.network.threads=2',
    'num.io.threads=4',
    'background.threads=2',
    'num.replica.fetchers=1',
  ]
  await writeFile(properties, `${lines.join('\n')}\n`, { mode: 0o600 })
  return port
}

/** Passwords are made at the first start, and live with the data. */
async function passwordsOf(dir: string, users: readonly string[]): Promise<Record<string, string>> {
  const path = join(dir, 'passwords.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  const made = Object.fromEntries(users.map(user => [user, randomBytes(18).toString('base64url')]))
  await writeFile(path, JSON.stringify(made), { mode: 0o600 })
  return made
}

function loginLines(listener: string, passwords: KafkaBroker['passwords']): string[] {
  const login = `org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="${passwords.admin}";`
  return [
    'sasl.enabled.mechanisms=SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512',
    `listener.name.${listener.toLowerCase()}.scram-sha-512.sasl.jaas.config=${login}`,
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users=User:admin;User:ANONYMOUS', // the broker itself, as it asks its controller
  ]
}

function tlsLines({ key, certificate }: { key: string; certificate: string }): string[] {
  const inOneLine = (pem: string) => pem.trim().replaceAll('\n', '\\n')
  return [
    'ssl.keystore.type=PEM',
    `ssl.keystore.key=${inOneLine(key)}`,
    `ssl.keystore.certificate.chain=${inOneLine(certificate)}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.certificates=${inOneLine(certificate)}`,
  ]
}

function format(
  command: JavaCommand,
  properties: string,
  dir: string,
  passwords: KafkaBroker['passwords'],
): void {
  if (existsSync(join(dir, 'data/meta.properties'))) return
  const clusterId = `g${randomBytes(16).toString('base64url').slice(1)}` // must not begin with a hyphen
  const users = Object.entries(passwords).flatMap(([name, password]) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${name},password=${password}]`,
  ])
  const { status, stdout, stderr } = spawnSync(
    java(),
    command('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties, ...users),
    { encoding: 'utf8' },
  )
  if (status !== 0)
    throw new Error(`Kafka ${kafkaVersion} can not format ${dir}: ${`${stdout}${stderr}`.trim().slice(-500)}`)
}

async function start(
  command: JavaCommand,
  properties: string,
  port: number,
  dir: string,
  answers: () => Promise<boolean>,
): Promise<ChildProcess> {
  const child = spawnTethered(java(), command('kafka.Kafka', properties), 'TERM')
  const log = createWriteStream(join(dir, 'broker.log'), { flags: 'a' })
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      words = (words + data.toString()).slice(-20_000)
      log.write(data)
    })
  }
  let ended = false
  child.once('exit', () => {
    ended = true
    log.end()
  })
  for (const until = Date.now() + startMilliseconds; ; ) {
    if (ended) throw new Error(`Kafka ended while starting: ${words.slice(-1000)}`)
    // its own word first: another broker may be answering on that port
    if (words.includes('Kafka Server started') && (await answers())) return child
    if (Date.now() > until) {
      await stopProcess(child, 'SIGKILL')
      throw new Error(
        `Kafka did not answer on port ${port} within ${startMilliseconds / 1000} s: ${words.slice(-1000)}`,
      )
    }
    await new Promise(done => setTimeout(done, 30))
  }
}
