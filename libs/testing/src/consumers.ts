import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { kafkaAvailable, kafkaHome } from '@grantlog/servers'

const run = promisify(execFile)
const folder = join(import.meta.dirname, '../../../docs/examples/consume-revocations')
const confluentKafka = 'confluent-kafka==2.16.1'

type Available = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** An example of docs/examples/consume-revocations, and how it is started here. */
export interface ExampleConsumer {
  readonly language: 'typescript' | 'python' | 'java' | 'curl'
  /** Whether what it needs is here: looked for when it is asked. */
  readonly available: Available
  /** Fetches what it needs, once. The command's arguments follow: brokers and prefix, or issuer and token file, then seconds. */
  prepare(): Promise<{ readonly command: readonly string[]; readonly env?: Readonly<Record<string, string>> }>
}

export const exampleConsumers: readonly ExampleConsumer[] = [
  {
    language: 'typescript',
    available: { ok: true },
    prepare: async () => ({ command: [process.execPath, join(folder, 'typescript/revocations.ts')] }),
  },
  {
    language: 'python',
    get available() {
      return needs('python3', ['-m', 'pip', '--version'], 'The Python example needs python3 with pip')
    },
    async prepare() {
      const env = { PYTHONPATH: await pythonPackages() }
      return { command: ['python3', join(folder, 'python/revocations.py')], env }
    },
  },
  {
    language: 'java',
    get available() {
      return javac()
    },
    async prepare() {
      const classes = await mkdtemp(join(tmpdir(), 'grantlog-java-'))
      const jars = join(await kafkaHome(), 'libs/*') // the broker's folder holds the client, and Jackson
      await run('javac', ['-d', classes, '-cp', jars, join(folder, 'java/Revocations.java')])
      return {
        command: ['java', '-XX:TieredStopAtLevel=1', '-cp', [jars, classes].join(delimiter), 'Revocations'],
      }
    },
  },
  {
    language: 'curl',
    get available() {
      return needs('jq', ['--version'], 'The curl example needs bash, curl and jq')
    },
    prepare: async () => ({ command: ['bash', join(folder, 'curl/revocations.sh')] }),
  },
]

function javac(): Available {
  const kafka = kafkaAvailable()
  return kafka.ok ? needs('javac', ['-version'], 'The Java example needs a JDK, 17 or newer') : kafka
}

function needs(command: string, args: readonly string[], otherwise: string): Available {
  const { status } = spawnSync(command, args)
  return status === 0 ? { ok: true } : { ok: false, reason: `${otherwise}: \`${command}\` does not run.` }
}

/** A folder with the client for Python, from the package index, kept in the user's cache. */
async function pythonPackages(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'grantlog')
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.implementation.cache_tag)'])
  const packages = join(cache, `${confluentKafka.replace('==', '-')}-${stdout.trim()}`)
  if (existsSync(packages)) return packages
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(join(cache, '.python-')) // on the same file system: the rename is atomic
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', aside, confluentKafka])
    await rename(aside, packages)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    if (!existsSync(packages)) throw error // unless another run was first
  }
  return packages
}
