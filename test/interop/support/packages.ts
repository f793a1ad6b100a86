/**
 * Makes sure that the peers are installed, all from the Debian packages of the same machine.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const packagesByCommand: Readonly<Record<string, string>> = {
  sipp: 'sip-tester',
  baresip: 'baresip-core',
  sipsak: 'sipsak',
  dnsmasq: 'dnsmasq-base',
  kamailio: 'kamailio',
  sngrep: 'sngrep',
  socat: 'socat',
  linphonec: 'linphone-cli',
  chromium: 'chromium',
}

/** Installs what is missing. Returns one line that says why it cannot, or undefined when everything is there. */
export function ensurePeers(log: (line: string) => void): string | undefined {
  const missing = missingCommands()
  if (missing.length === 0) return undefined
  const packages = missing.map((command) => packagesByCommand[command] ?? command)
  const wanted = `the interop tests need ${packages.join(', ')}`
  if (!existsSync('/etc/debian_version')) return `${wanted}: install them by hand, this is not a Debian system`
  if (process.getuid?.() !== 0) return `${wanted}: run as root, or apt-get install ${packages.join(' ')}`
  log(`installing ${packages.join(', ')} with apt-get`)
  const update = run(['update'])
  const install = run(['install', '-y', '--no-install-recommends', ...packages])
  if (missingCommands().length === 0) return undefined
  return `${wanted}, and apt-get could not install them: ${lastLine(install) ?? lastLine(update) ?? 'no message'}`
}

function missingCommands(): string[] {
  return Object.keys(packagesByCommand).filter((command) => !isOnPath(command))
}

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(`${folder}/${command}`))
}

function run(args: readonly string[]): string {
  const result = spawnSync('apt-get', args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  return `${result.stdout ?? ''}\n${result.stderr ?? ''}`
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)
}
