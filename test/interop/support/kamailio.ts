/**
 * A Kamailio of Debian as a proxy in front of one phone, on a loopback port of its own.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isPortFree, loopback, untilListening } from './network.ts'
import { Program } from './program.ts'

const template = new URL('../kamailio/failover.cfg', import.meta.url)

/** A running Kamailio. */
export class Kamailio {
  readonly port: number
  readonly #program: Program

  private constructor(port: number, program: Program) {
    this.port = port
    this.#program = program
  }

  /**
   * Starts one and waits until it has bound its port.
   * @param name what its Server header says
   * @param phone host and port to which it sends calls
   */
  static async start(workDir: string, name: string, port: number, phone: string): Promise<Kamailio> {
    const config = join(workDir, `${name}.cfg`)
    const text = readFileSync(template, 'utf8').replaceAll('{{NAME}}', name).replaceAll('{{PHONE}}', phone)
    writeFileSync(config, text)
    const program = new Program({
      name,
      command: 'kamailio',
      args: ['-f', config, '-l', `udp:${loopback}:${port}`, '-m', '64', '-M', '4', '-DD', '-E', '-Y', workDir],
      cwd: workDir,
    })
    await program.waitFor(/Listening on/, 10_000)
    await untilListening(program, port)
    return new Kamailio(port, program)
  }

  /** Ends it, its workers too, and waits until its port is free. */
  async stop(): Promise<void> {
    await this.#program.stop()
    for (let attempt = 0; !(await isPortFree(this.port)); attempt++) {
      if (attempt === 100) throw new Error(`${this.#program.name} still holds its port`)
      await sleep(50)
    }
  }
}
