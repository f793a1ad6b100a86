/**
 * The server under test: the built command, started as a user starts it, on free loopback ports, with a data directory
 * and users of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, freePortRange, loopback } from './network.ts'
import { Program } from './program.ts'

/** The SIP domain of the server under test. */
export const domain = 'carillon.test'

const command = fileURLToPath(new URL('../../../packages/server/bin/carillon.cjs', import.meta.url))
const mediaPorts = 2000
const userCount = 80

/** An extension of the server under test. */
export interface User {
  readonly name: string
  readonly password: string
}

/** A running server. */
export class Server {
  readonly port: number
  readonly mediaPortMin: number
  readonly mediaPortMax: number
  readonly program: Program
  readonly #users: User[]

  private constructor(port: number, mediaPortMin: number, users: User[], program: Program) {
    this.port = port
    this.mediaPortMin = mediaPortMin
    this.mediaPortMax = mediaPortMin + mediaPorts - 1
    this.#users = users
    this.program = program
  }

  /**
   * Starts it and waits until it says that it is ready. With `srtp` its users are in its users file, and each says how
   * its phones are offered media: as the list says, over and over.
   */
  static async start(workDir: string, name = 'server', srtp: readonly string[] = []): Promise<Server> {
    const port = await freePort()
    const mediaPortMin = freePortRange(mediaPorts)
    const dataDir = join(workDir, `${name}-data`)
    mkdirSync(dataDir, { recursive: true })
    const users: User[] = []
    for (let index = 1; index <= userCount; index++)
      users.push({ name: `${1000 + index}`, password: `pass-${index}-x` })
    if (srtp.length > 0) writeUsers(dataDir, users, srtp)
    const program = new Program({
      name,
      command: process.execPath,
      args: [command, 'start'],
      cwd: workDir,
      env: {
        CARILLON_SIP_LISTEN: `udp://${loopback}:${port},tcp://${loopback}:${port}`,
        CARILLON_DOMAIN: domain,
        CARILLON_MEDIA_ADDRESS: loopback,
        CARILLON_MEDIA_PORTS: `${mediaPortMin}-${mediaPortMin + mediaPorts - 1}`,
        CARILLON_DATA_DIR: dataDir,
        CARILLON_LOG_LEVEL: 'info',
        CARILLON_DRAIN_TIMEOUT_MS: '1500',
        ...(srtp.length > 0 ? {} : { CARILLON_USERS: users.map((user) => `${user.name}:${user.password}`).join(',') }),
      },
    })
    const server = new Server(port, mediaPortMin, users, program)
    await program.waitFor(/\bready\b/i, 20_000)
    return server
  }

  /** An extension that no other scenario uses. */
  takeUser(): User {
    const user = this.#users.shift()
    if (user === undefined) throw new Error('no unused extension left: raise userCount')
    return user
  }

  /** Its SIP address as SIPp wants it. */
  get target(): string {
    return `${loopback}:${this.port}`
  }
}

function writeUsers(dataDir: string, users: readonly User[], srtp: readonly string[]): void {
  const rows = users.map(({ name, password }, index) => ({
    extension: name,
    password,
    srtp: srtp[index % srtp.length],
  }))
  writeFileSync(join(dataDir, 'users.json'), JSON.stringify({ version: 1, users: rows }), { mode: 0o600 })
}
