import { databaseNames, Installation, System, serviceNames, silence, temporary } from '@grantlog/launcher'

/** Starts a system with two instances of what issues tokens, and says where everything of it is found. */
export async function shareSystem() {
  silence()
  const options = temporary('embedded')
  const installation = await Installation.open(options)
  const system = new System(installation, options, {}, { token: 2, consent: 2 })
  try {
    const { backbone, demo } = await system.start()
    const { folder, ports, secrets } = installation
    const urlsOf = name => ({ owner: backbone.databaseUrl(name), service: backbone.serviceUrl(name) })
    const found = {
      installation: { folder, ports, secrets, demo },
      databases: Object.fromEntries(databaseNames.map(name => [name, urlsOf(name)])),
      logs: serviceNames.flatMap(name => system.service(name).logs),
    }
    return { system, found }
  } catch (error) {
    await system.stop()
    throw error
  }
}
