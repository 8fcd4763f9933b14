import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from '../installation.js'

/** What is implemented; a standard that no test names stops the generator. */
const standards: Readonly<Record<string, string>> = {
  'RFC 6749': 'The OAuth 2.0 Authorization Framework',
  'RFC 6750': 'Bearer Token Usage',
  'RFC 7009': 'Token Revocation',
  'RFC 7521': 'Assertion Framework for Client Authentication and Authorization Grants',
  'RFC 7523': 'JWT Profile for Client Authentication and Authorization Grants',
  'RFC 7591': 'Client Metadata (names of members)',
  'RFC 7636': 'Proof Key for Code Exchange (PKCE)',
  'RFC 7662': 'Token Introspection',
  'RFC 8252': 'OAuth 2.0 for Native Apps',
  'RFC 8414': 'Authorization Server Metadata',
  'RFC 8628': 'Device Authorization Grant',
  'RFC 8693': 'Token Exchange',
  'RFC 8705': 'Mutual-TLS Client Authentication and Certificate-Bound Access Tokens',
  'RFC 8707': 'Resource Indicators',
  'RFC 8725': 'JSON Web Token Best Current Practices',
  'RFC 9068': 'JWT Profile for Access Tokens',
  'RFC 9101': 'JWT-Secured Authorization Request (JAR)',
  'RFC 9126': 'Pushed Authorization Requests (PAR)',
  'RFC 9207': 'Authorization Server Issuer Identification',
  'RFC 9396': 'Rich Authorization Requests (RAR)',
  'RFC 9449': 'Demonstrating Proof of Possession (DPoP)',
  'RFC 9700': 'Best Current Practice for OAuth 2.0 Security',
  'RFC 9701': 'JWT Response for Token Introspection',
  'RFC 9728': 'Protected Resource Metadata',
  'FAPI 2.0': 'Security Profile (final); a number after a hyphen is that of the requirement',
}

interface Naming {
  readonly standard: string
  readonly section: string
  readonly file: string
}

/**
 * The page that says which tests hold which section of which standard: every line of a test that names one. A bare `§5.2` belongs to
 * the standard that its `describe` names, or else that the file names first.
 */
export function standardsPage(): string {
  const files = globSync(['{apps,libs}/*/src/**/*.spec.ts', 'e2e/src/**/*.ts'], { cwd: root }).toSorted()
  const namings = files.flatMap(file => namingsIn(file, readFileSync(join(root, file), 'utf8')))
  const parts = Object.entries(standards).map(([standard, title]) => {
    const own = namings.filter(naming => naming.standard === standard)
    if (own.length === 0) throw new Error(`${standard} (${title}) is named by no test`)
    return { standard, title, own }
  })
  return `# Standards

<!-- Generated from the tests by \`npm run generate -w @grantlog/launcher\`. Do not edit. -->

What each standard asks for is held by tests that name its section. This page is made from them, and checked fresh.

| standard | title | sections | lines of tests |
| --- | --- | --- | --- |
${parts.map(({ standard, title, own }) => `| [${standard}](#${headingOf(standard)}) | ${title} | ${new Set(own.map(({ section }) => section)).size} | ${own.length} |`).join('\n')}

${parts.map(partOf).join('\n\n')}
`
}

function partOf({
  standard,
  title,
  own,
}: {
  standard: string
  title: string
  own: readonly Naming[]
}): string {
  const sections = [...new Set(own.map(({ section }) => section))].toSorted(inOrder)
  const rows = sections.map(section => {
    const here = own.filter(naming => naming.section === section).map(({ file }) => file)
    const links = [...new Set(here)].map(file => {
      const times = here.filter(each => each === file).length
      return `[${basename(file)}](../../${file})${times > 1 ? ` × ${times}` : ''}`
    })
    return `| [§${section}](${urlOf(standard)}#${anchorOf(section)}) | ${links.join(', ')} |`
  })
  return `## ${standard}\n\n${title}\n\n| section | tests |\n| --- | --- |\n${rows.join('\n')}`
}

/** Each section once for each line that names it. */
function namingsIn(file: string, text: string): Naming[] {
  let described = /RFC \d{4}|FAPI 2\.0/.exec(text)?.[0] ?? ''
  return text.split('\n').flatMap(line => {
    const found = new Set<string>()
    let standard = described
    for (const [, named, section] of line.matchAll(
      /(RFC \d{4}|FAPI 2\.0)|§((?:[A-Z]\.)?\d+(?:\.\d+)*(?:-\d+)?)/g,
    )) {
      if (named !== undefined) standard = named
      else if (section !== undefined && standard !== '') found.add(`${standard}\n${section}`)
    }
    if (/\bdescribe\b/.test(line) && standard !== '') described = standard
    return [...found].map(each => {
      const [of = '', section = ''] = each.split('\n')
      return { standard: of, section, file }
    })
  })
}

const headingOf = (standard: string) => standard.toLowerCase().replace('.', '').replace(' ', '-')

function urlOf(standard: string): string {
  const rfc = /^RFC (\d+)$/.exec(standard)?.[1]
  if (rfc !== undefined) return `https://www.rfc-editor.org/rfc/rfc${rfc}`
  return 'https://openid.net/specs/fapi-security-profile-2_0-final.html'
}

function anchorOf(section: string): string {
  const [whole = ''] = section.split('-')
  return /^[A-Z]/.test(whole) ? `appendix-${whole}` : `section-${whole}`
}

function inOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
