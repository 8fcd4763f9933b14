/** Who may import whom. Each rule is shown to work by a planted violation: see dependencies.mjs. */
const specs = ['\\.spec\\.ts$', '/src/specs/']
module.exports = {
  forbidden: [
    {
      name: 'contracts-imports-zod-only',
      comment: 'What services may know of each other depends on nothing else.',
      severity: 'error',
      from: { path: '^libs/contracts/src', pathNot: [...specs, '^libs/contracts/src/generate/'] },
      to: { pathNot: ['^libs/contracts/src', '(^|/)node_modules/zod/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'oauth-imports-jose-only',
      comment: 'The protocol as pure functions.',
      severity: 'error',
      from: { path: '^libs/oauth/src', pathNot: specs },
      to: { pathNot: ['^libs/oauth/src', '(^|/)node_modules/jose/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'guard-needs-no-framework',
      comment: 'A resource server of any kind installs it; Nest is only in its own folder.',
      severity: 'error',
      from: {
        path: '^libs/resource-guard/src',
        pathNot: [...specs, '^libs/resource-guard/src/nest/'],
      },
      to: {
        pathNot: ['^libs/(resource-guard|oauth)/src', '(^|/)node_modules/jose/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'no-app-imports-another',
      comment: 'Services know each other by events and by OAuth, not by code.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    { name: 'no-lib-imports-an-app', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'one-file-imports-kafkajs',
      comment: 'Another Kafka client is one other file.',
      severity: 'error',
      from: {
        path: '^(apps|libs|bench)/',
        pathNot: [
          ...specs,
          '^libs/eventing/src/transport/kafka[a-z-]*\\.ts$',
          '^bench/src/engine/raw-kafka\\.ts$', // the client by itself is what the engine is measured beside
        ],
      },
      to: { path: '(^|/)node_modules/kafkajs/' },
    },
    {
      name: 'servers-are-for-one-machine',
      comment: 'No service depends on servers that are made for a laptop and for tests.',
      severity: 'error',
      from: {
        path: '^(apps|libs)/',
        pathNot: [...specs, '^apps/launcher/', '^libs/(servers|testing)/'],
      },
      to: { path: '^libs/(servers|testing)/' },
    },
    {
      name: 'no-source-imports-a-spec',
      severity: 'error',
      from: { pathNot: specs },
      to: { path: specs },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|compiled)/' },
    tsPreCompilationDeps: true,
    // without the condition nothing resolves, and all looks clean: the self-test would say so
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
}
