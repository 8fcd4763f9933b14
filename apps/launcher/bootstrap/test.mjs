import { join } from 'node:path'
import { ensureReady, root } from './install.mjs'
import { become } from './run.mjs'

const jest = join(root, 'node_modules/jest/bin/jest.js')
const config = join(root, 'libs/testing/jest.config.mjs')
become(ensureReady(), [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  jest,
  '--config',
  config,
  ...process.argv.slice(2),
])
