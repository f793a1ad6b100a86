/**
 * Runs linphone (5.1 from Debian) without a screen. It registers by itself, and takes its registration back when it ends.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Program } from './program.ts'
import { domain, type User } from './server.ts'

const template = new URL('../linphone/rc.template', import.meta.url)

/** What else it is to do. */
export interface LinphoneOptions {
  /** Users of the same domain whose presence it subscribes to, and who may watch its own. */
  readonly friends?: readonly string[]
  /** Whether it publishes its presence. */
  readonly publish?: boolean
}

/** Starts it. */
export function startLinphone(
  workDir: string,
  user: User,
  transport: 'udp' | 'tcp',
  serverPort: number,
  { friends = [], publish = false }: LinphoneOptions = {},
): Program {
  const folder = join(workDir, `linphone-${user.name}`)
  // Without this folder it waits for ever.
  mkdirSync(join(folder, '.local/share/linphone'), { recursive: true })
  const values: Record<string, string> = {
    USER: user.name,
    PASSWORD: user.password,
    DOMAIN: domain,
    TRANSPORT: transport,
    SERVER_PORT: String(serverPort),
    // It looks for its domain in the DNS unless there is a route to it.
    ROUTE: publish ? `reg_route=<sip:127.0.0.1:${serverPort};transport=${transport};lr>` : '',
    PUBLISH: publish ? '1' : '0',
    FRIENDS: friends
      .map((name, index) => `[friend_${index}]\nurl="${name}" <sip:${name}@${domain}>\npol=accept\nsubscribe=1\n`)
      .join('\n'),
  }
  const text = readFileSync(template, 'utf8')
  writeFileSync(
    join(folder, 'rc'),
    text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? ''),
  )
  // It wants a terminal, and the signal that ends `script` has to reach it, whatever the shell.
  return new Program({
    name: 'linphonec',
    command: 'script',
    args: ['-qfec', 'exec linphonec -c rc -d 5 -l log', '/dev/null'],
    cwd: folder,
    env: { HOME: folder },
  })
}
