import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const kafkaVersion = '4.4.0'
const log4jVersion = '2.25.5'

export const java = () => (process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java')

/** Major version of the Java found; 0 where there is none. */
export function javaVersion(): number {
  const { stderr } = spawnSync(java(), ['-version'], { encoding: 'utf8' })
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0)
}

const folder = () =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'grantlog', `kafka-${kafkaVersion}`)
const isResolved = () => existsSync(join(folder(), 'libs'))

/** Whether a broker can be started here, or what is missing, in a sentence. */
export function kafkaAvailable(): { ok: true } | { ok: false; reason: string } {
  const version = javaVersion()
  if (version === 0)
    return {
      ok: false,
      reason: 'Kafka needs Java 17 or newer, and there is none: install it, or set JAVA_HOME.',
    }
  if (version < 17) return { ok: false, reason: `Kafka needs Java 17 or newer: Java ${version} was found.` }
  if (!isResolved() && spawnSync('mvn', ['-version'], { shell: process.platform === 'win32' }).status !== 0) {
    return {
      ok: false,
      reason: 'Kafka’s jars are resolved by Maven, once, and there is no mvn: install Maven.',
    }
  }
  return { ok: true }
}

/** The folder with Kafka's jars (about 44 MB). Once they are there, neither Maven nor a network is needed. */
export async function kafkaHome(): Promise<string> {
  const available = kafkaAvailable()
  if (!available.ok) throw new Error(available.reason)
  const home = folder()
  if (isResolved()) return home
  await mkdir(join(home, '..'), { recursive: true })
  const aside = await mkdtemp(join(home, '..', '.kafka-')) // on the same file system: the rename is atomic
  try {
    await writeFile(join(aside, 'pom.xml'), pom)
    await writeFile(join(aside, 'log4j2.properties'), log4j)
    const goal = [
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(aside, 'libs')}`,
    ]
    await promisify(execFile)('mvn', ['-B', '-q', '-ntp', '-f', join(aside, 'pom.xml'), ...goal], {
      shell: process.platform === 'win32',
    })
    await rename(aside, home)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    if (!isResolved()) {
      const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
      throw new Error(
        `Maven could not resolve Kafka’s jars; is there a network? ${said.trim().split('\n')[0]}`,
      )
    }
  }
  return home
}

const pom = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${log4jVersion}</version></dependency>
  </dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.9.0</version>
  </plugin></plugins></build>
</project>
`

const log4j = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.started.name = kafka.server.KafkaRaftServer
logger.started.level = info
logger.quorum.name = org.apache.kafka.controller.QuorumController
logger.quorum.level = error
`
