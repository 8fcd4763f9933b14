import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../installation.js'
import { configurationPage } from './configuration-page.js'

const path = 'docs/reference/configuration.md'
const text = configurationPage()
const current = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined

if (current !== text) {
  if (process.argv.includes('--check')) {
    console.error(
      `${path} is not what the services say. Run \`npm run generate -w @grantlog/launcher\` after a build.`,
    )
    process.exitCode = 1
  } else {
    writeFileSync(join(root, path), text)
    console.log(path)
  }
}
