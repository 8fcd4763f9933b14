/**
 * Makes of a compiled service the one file that is run, `dist/main.js`: the hundreds of modules that it is made of take Node a second
 * to find, and one file a fifth of that. Beside it `dist/licenses.txt`, what their authors want to be passed on, and `dist/sbom.cdx.json`, what
 * there is (CycloneDX 1.6). Folders that are named as arguments are what a browser loads: each module stays one, with its packages inside.
 *
 * Run in the folder of the service, after the compiler: node ../../libs/platform/src/bundle.mjs [folder…]
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Not JavaScript: they stay in node_modules. */
const native = ['@node-rs/argon2']

/** A package says of some others that it does without where they are not there (Nest of Redis, pg of its native half). Any other must be. */
const optionalIsExternal = {
  name: 'optional is external',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
      const name = nameOf(path)
      if (
        isBuiltin(path) ||
        manifestOf(packageOf(importer) ?? '.').peerDependenciesMeta?.[name]?.optional !== true
      )
        return undefined
      const folders = createRequire(importer).resolve.paths(path) ?? []
      return folders.some(folder => existsSync(join(folder, name))) ? undefined : { path, external: true }
    })
  },
}

const ownModulesStay = {
  name: 'own modules stay',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path, external: true },
    )
  },
}

const common = { bundle: true, format: 'esm', logLevel: 'warning', legalComments: 'none', metafile: true }

const { metafile } = await build({
  ...common,
  entryPoints: ['compiled/main.js'],
  outfile: 'dist/main.js',
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  sourcesContent: false,
  external: native,
  plugins: [optionalIsExternal],
  // what was written for CommonJS asks for Node's own modules with it
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
})
const inputs = Object.keys(metafile.inputs)
inBytes('dist/main.js')

const folders = process.argv.slice(2)
if (folders.length > 0) {
  const served = await build({
    ...common,
    entryPoints: folders.map(folder => `compiled/${folder}/*.js`),
    outbase: 'compiled',
    outdir: 'dist',
    platform: 'browser',
    target: 'es2022',
    plugins: [ownModulesStay],
  })
  inputs.push(...Object.keys(served.metafile.inputs))
}

const packages = packagesOf(inputs)
writeFileSync('dist/licenses.txt', packages.map(licenseOf).join(`\n${'-'.repeat(80)}\n\n`))
writeFileSync('dist/sbom.cdx.json', `${JSON.stringify(billOf(packages), null, 2)}\n`)

/** A text with one character beyond ASCII takes two bytes for each: comments and regular expressions hold some. */
function inBytes(file) {
  const code = unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  writeFileSync(file, readFileSync(file, 'utf8').replace(/[^\0-\x7f]/g, code))
}

/** Those of others, whose modules were used, by name. */
function packagesOf(files) {
  const roots = new Set(files.map(packageOf).filter(Boolean))
  for (const name of native.filter(name => name in manifestOf('.').dependencies))
    roots.add(join('../../node_modules', name))
  return [...roots]
    .map(folder => ({ ...manifestOf(folder), folder }))
    .filter(({ version }) => version !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function licenseOf({ name, version, license, folder }) {
  const files = readdirSync(folder).filter(file => /^(licen[cs]e|copying|notice)/i.test(file))
  const texts = files.map(file => readFileSync(join(folder, file), 'utf8').trim())
  return [`${name} ${version}, ${license}`, ...texts, ''].join('\n\n')
}

function billOf(components) {
  const { name, version } = manifestOf('.')
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name, version } },
    components: components.map(({ name, version, license }) => ({
      type: 'library',
      name,
      version,
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      licenses: [{ expression: license }],
    })),
  }
}

/** The folder of the package that a file belongs to; undefined where it is one of ours. */
function packageOf(file) {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0]
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function nameOf(path) {
  return path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/')
}
