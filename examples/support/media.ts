/** The media of the examples that relay it: one relay, its options on the command line, its end with the program's. */
import { createRelay, type Relay } from '@carillon/rtp-relay'
import { describe, fail, readNumber } from './program.ts'

/** Options of every example that relays media, for `readOptions`. */
export const mediaOptions = {
  /** The address that media comes to. */
  'media-address': { type: 'string', default: '127.0.0.1' },
  /** The ports that it comes to, two for each side of each medium. */
  'media-ports': { type: 'string', default: '20000-29999' },
  /** Threads that carry it; 0 has this one carry it. */
  workers: { type: 'string', default: '0' },
} as const

/** Makes the relay, or says in one line why it cannot be made and ends the program. It ends with the program. */
export async function startRelay(options: Readonly<Record<keyof typeof mediaOptions, string>>): Promise<Relay> {
  const [min = '', max = ''] = options['media-ports'].split('-')
  try {
    const relay = await createRelay({
      interfaces: [{ address: options['media-address'] }],
      portMin: readNumber('media-ports', min),
      portMax: readNumber('media-ports', max),
      workers: readNumber('workers', options.workers),
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void relay.close())
    return relay
  } catch (error) {
    return fail(describe(error), 1)
  }
}
