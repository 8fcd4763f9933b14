// Checks who imports whom; with --self-test, plants a violation of each rule and expects it to be found.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import rules from './dependency-rules.cjs'

const root = join(import.meta.dirname, '../../..')
process.chdir(root)

// rule → the file that breaks it (written, cruised and removed), and what it imports
const plants = {
  'contracts-imports-zod-only': ['libs/contracts/src/planted.ts', '@grantlog/oauth'],
  'oauth-imports-jose-only': ['libs/oauth/src/planted.ts', 'zod'],
  'guard-needs-no-framework': ['libs/resource-guard/src/planted.ts', '@nestjs/common'],
  'no-app-imports-another': ['apps/token/src/planted.ts', '../../clients/src/main.js'],
  'no-lib-imports-an-app': ['libs/ui/src/planted.ts', '../../../apps/token/src/main.js'],
  'one-file-imports-kafkajs': ['libs/platform/src/planted.ts', 'kafkajs'],
  'servers-are-for-one-machine': ['apps/token/src/planted-servers.ts', '@grantlog/servers'],
  'no-source-imports-a-spec': ['apps/token/src/planted-spec.ts', './domain/family.spec.js'],
  'no-cycles': ['libs/oauth/src/planted-cycle.ts', './planted-cycle-too.js'],
}
const cycleBack = ['libs/oauth/src/planted-cycle-too.ts', './planted-cycle.js']

async function violations() {
  const folders = ['apps', 'libs', 'bench', 'e2e'].filter(folder => existsSync(folder))
  const { output } = await cruise(folders, {
    ruleSet: { forbidden: rules.forbidden },
    validate: true,
    ...rules.options,
  })
  return output.summary.violations
}

async function selfTest() {
  const files = [...Object.values(plants), cycleBack]
  try {
    for (const [file, target] of files)
      writeFileSync(file, `import '${target}'\nexport const planted = true\n`)
    const found = await violations()
    const missed = Object.entries(plants).filter(
      ([rule, [file]]) =>
        !found.some(({ rule: { name }, from }) => name === rule && [file, cycleBack[0]].includes(from)),
    )
    for (const [rule] of missed) console.error(`the rule ${rule} did not catch its planted violation`)
    return missed.length
  } finally {
    for (const [file] of files) rmSync(file, { force: true })
  }
}

async function check() {
  const found = await violations()
  for (const { rule, from, to } of found) console.error(`${rule.name}: ${from} → ${to}`)
  return found.length
}

const failures = process.argv.includes('--self-test') ? await selfTest() : await check()
process.exitCode = failures === 0 ? 0 : 1
