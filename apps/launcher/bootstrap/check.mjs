import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ensureReady, root } from './install.mjs'

const node = ensureReady()
const bin = name => join(root, 'node_modules/.bin', name)
const rules = join(root, 'libs/testing/rules')

// Building is the check of the packages' types: a wrong one has ended the run by now.
const checks = [
  [
    'types of the specs',
    node,
    [join(root, 'node_modules/typescript-native/bin/tsc'), '-p', 'libs/testing/tsconfig.specs.json'],
  ],
  ['format and lint', bin('biome'), ['ci', '--error-on-warnings', '--colors=off', '.']],
  [
    'import cycles',
    bin('oxlint'),
    ['--quiet', '--import-plugin', '-A', 'all', '-D', 'import/no-cycle', 'apps', 'libs', 'bench', 'e2e'],
  ],
  ['dependency rules', node, [join(rules, 'dependencies.mjs')]],
  ['dependency rules catch what is planted', node, [join(rules, 'dependencies.mjs'), '--self-test']],
  ['unused code', bin('knip'), ['--config', join(rules, 'knip.json'), '--no-progress', '--no-config-hints']],
  ...generators().map(folder => [
    `generated files of ${folder}`,
    node,
    [join(root, folder, 'dist/generate/main.js'), '--check'],
  ]),
]

let failed = 0
for (const [name, command, args] of checks) {
  const began = performance.now()
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1e8,
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  process.stdout.write(`  ${status === 0 ? '✓' : '✗'} ${name.padEnd(40)} ${seconds.padStart(5)} s\n`)
  if (status === 0) continue
  failed += 1
  process.stdout.write(`${error?.message ?? ''}${stdout}${stderr}\n`)
}
process.exitCode = failed === 0 ? 0 : 1

/** The workspaces that generate files: they have a `generate` script. */
function generators() {
  return ['apps', 'libs']
    .flatMap(room => readdirSync(join(root, room)).map(name => join(room, name)))
    .filter(folder => existsSync(join(root, folder, 'package.json')))
    .filter(
      folder =>
        'generate' in (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).scripts ?? {}),
    )
}
