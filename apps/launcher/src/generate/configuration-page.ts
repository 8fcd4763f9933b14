import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { root, type ServiceName, serviceNames } from '../installation.js'

/** One row of what `node main.js settings` prints. */
interface SettingRow {
  readonly name: string
  readonly type: string
  readonly describe: string
  readonly example: string
  readonly secret: boolean
  readonly file: boolean
  readonly default?: string
  readonly optional: boolean
}

/** The configuration reference in Markdown: every setting of every service, as the services themselves tell it. */
export function configurationPage(): string {
  const rows = new Map<string, { setting: SettingRow; services: ServiceName[] }>()
  for (const service of [...serviceNames].sort()) {
    for (const setting of settingsOf(service)) {
      // what is said in the same words is the same setting
      const key = JSON.stringify(
        setting,
        Object.keys(setting)
          .filter(field => field !== 'service')
          .sort(),
      )
      const row = rows.get(key) ?? { setting, services: [] }
      row.services.push(service)
      rows.set(key, row)
    }
  }
  const everywhere = [...rows.values()].filter(({ services }) => services.length === serviceNames.length)
  const sections = [
    section(
      'Every service',
      everywhere.map(({ setting }) => setting),
    ),
    ...[...serviceNames].sort().map(service =>
      section(
        `\`${service}\``,
        [...rows.values()]
          .filter(({ services }) => services.includes(service) && services.length < serviceNames.length)
          .map(({ setting }) => setting),
      ),
    ),
  ]
  return `${introduction}\n\n${sections.join('\n\n')}\n`
}

const introduction = `# Configuration

<!-- Generated from the services’ zod schemas by \`npm run generate -w @grantlog/launcher\`. -->

A service reads environment variables, and nothing else. A wrong value stops the start with exit code 78 and one line per variable: its
name, what is wrong, and an example. A secret is never shown. What is marked may be given as a file instead, whose path
is in \`NAME_FILE\`. \`npm start\` sets all of these by itself.

\`node apps/<service>/dist/main.js settings\` prints the same as JSON.`

function section(title: string, settings: readonly SettingRow[]): string {
  const lines = [...settings]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(setting => {
      const cells = [
        `\`${setting.name}\`${setting.secret ? ' (secret)' : setting.file ? ' (or file)' : ''}`,
        setting.type,
        fallback(setting),
        setting.describe,
        `\`${setting.example}\``,
      ]
      return `| ${cells.join(' | ')} |`
    })
  return [
    `## ${title}`,
    '',
    '| name | type | default | what it is | example |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

function fallback(setting: SettingRow): string {
  if (setting.optional) return 'none'
  if (setting.default === undefined) return '**required**'
  return setting.default === '' ? 'empty' : `\`${setting.default}\``
}

function settingsOf(service: ServiceName): SettingRow[] {
  const main = join(root, 'apps', service, 'dist/main.js')
  return JSON.parse(
    execFileSync(process.execPath, [main, 'settings'], { encoding: 'utf8', env: {} }),
  ) as SettingRow[]
}
