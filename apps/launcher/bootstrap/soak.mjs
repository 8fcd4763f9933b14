import { join } from 'node:path'
import { ensureReady, root } from './install.mjs'
import { become } from './run.mjs'

become(ensureReady(), [
  '--enable-source-maps',
  join(root, 'e2e/dist/history/main.js'),
  ...process.argv.slice(2),
])
