import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describeWhere } from '@grantlog/testing'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from './manifest.js'

const version = 'v5.7.1'
const missing =
  'Neither kubectl nor kustomize is here, and no Go that could build kustomize: install one of them.'

const built = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'grantlog',
  `kustomize-${version}`,
  'kustomize',
)

/** The resources of a folder. @throws Error with what kustomize says */
export function render(folder: string): Manifest[] {
  const [command, ...args] = kustomize()
  if (command === undefined) throw new Error(missing)
  const text = execFileSync(command, [...args, folder], { encoding: 'utf8', maxBuffer: 1e8, stdio: 'pipe' })
  return parseAllDocuments(text).map(document => document.toJS() as Manifest)
}

/** Tests of manifests. Where nothing can render them they are skipped, in one loud line; with CI=true that is a failure. */
export function describeWithKustomize(name: string, tests: () => void): void {
  describeWhere(kustomize().length > 0 ? { ok: true } : { ok: false, reason: missing }, name, tests)
}

/** What renders, and its first arguments; nothing where there is nothing. */
function kustomize(): string[] {
  if (spawnSync('kubectl', ['kustomize', '--help']).status === 0) return ['kubectl', 'kustomize']
  if (spawnSync('kustomize', ['version']).status === 0) return ['kustomize', 'build']
  if (!existsSync(built)) build()
  return existsSync(built) ? [built, 'build'] : []
}

/** Go checks what it downloads against its public log of checksums. */
function build(): void {
  if (spawnSync('go', ['version']).status !== 0) return
  process.stderr.write(
    `Neither kubectl nor kustomize is here: Go builds kustomize ${version}, once. It takes minutes.\n`,
  )
  mkdirSync(join(built, '..'), { recursive: true })
  const { stderr } = spawnSync('go', ['install', `sigs.k8s.io/kustomize/kustomize/v5@${version}`], {
    encoding: 'utf8',
    env: { ...process.env, GOBIN: join(built, '..'), CGO_ENABLED: '0' },
  })
  if (!existsSync(built)) process.stderr.write(stderr)
}
