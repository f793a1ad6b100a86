/**
 * TLS for SIPp, which has none: socat takes the connection on one side in the clear and on the other under TLS.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestCertificate } from '../../support/certificates.ts'
import { freePort, loopback, untilListening } from './network.ts'
import { Program } from './program.ts'

/** A running socat. */
export class TlsRelay {
  readonly port: number
  readonly #program: Program

  private constructor(port: number, program: Program) {
    this.port = port
    this.#program = program
  }

  /** Takes TCP and goes on to a TLS server, whose certificate has to be of that authority and for 127.0.0.1. */
  static async toServer(workDir: string, tlsPort: number, ca: string): Promise<TlsRelay> {
    const file = join(mkdtempSync(join(workDir, 'relay-')), 'ca.pem')
    writeFileSync(file, ca)
    const [taken, port] = await TlsRelay.#listen()
    return TlsRelay.#start(workDir, port, [taken, `OPENSSL:${loopback}:${tlsPort},cafile=${file},verify=1`])
  }

  /** Is a TLS server with that certificate, and goes on to a TCP port. */
  static async asServer(workDir: string, certificate: TestCertificate, tcpPort: number): Promise<TlsRelay> {
    const file = join(mkdtempSync(join(workDir, 'relay-')), 'certificate.pem')
    writeFileSync(file, certificate.key + certificate.cert)
    const port = await freePort()
    const taken = `OPENSSL-LISTEN:${port},bind=${loopback},reuseaddr,fork,cert=${file},verify=0`
    return TlsRelay.#start(workDir, port, [taken, `TCP:${loopback}:${tcpPort}`])
  }

  /** Takes nobody any more. What it has passed on ends with its connections, which end when our side closes them. */
  stop(): void {
    this.#program.signal('SIGTERM')
  }

  static async #listen(): Promise<[string, number]> {
    const port = await freePort()
    return [`TCP-LISTEN:${port},bind=${loopback},reuseaddr,fork`, port]
  }

  static async #start(workDir: string, port: number, args: readonly string[]): Promise<TlsRelay> {
    const program = new Program({ name: 'socat', command: 'socat', args, cwd: workDir })
    await untilListening(program, port)
    return new TlsRelay(port, program)
  }
}
