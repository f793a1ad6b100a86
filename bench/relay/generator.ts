/**
 * Who sends the packets: the generator in C where its source and a compiler are at hand, for it takes in 100 000 single
 * packets a second beside sending them; else ours in TypeScript, which does half of that.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatorCore, runGenerator } from '../load/generator.ts'
import { isOnPath, startPinned } from '../load/pinned.ts'
import type { RoundResult } from '../load/rounds.ts'
import { payloadBytes, type StreamPorts } from './streams.ts'

/** Sends over the streams of a relay. */
export interface Generator {
  readonly rateMax: number
  run(streams: readonly StreamPorts[], rate: number, seconds: number): Promise<RoundResult>
  /** Removes what it has made. */
  dispose(): void
}

/** The best one there is. `CARILLON_TOOLS_DIR` is the folder of rtpblast.c. */
export function openGenerator(): Generator {
  const tools = process.env.CARILLON_TOOLS_DIR ?? fileURLToPath(new URL('../../../shared/tools', import.meta.url))
  const source = join(tools, 'rtpblast.c')
  if (!existsSync(source) || !isOnPath('cc')) return inTypeScript
  const folder = mkdtempSync(join(tmpdir(), 'carillon-rtpblast-'))
  const program = join(folder, 'rtpblast')
  const dispose = (): void => rmSync(folder, { recursive: true, force: true })
  if (spawnSync('cc', ['-O2', source, '-o', program]).status === 0) return { ...inC(program, folder), dispose }
  dispose()
  return inTypeScript
}

const inTypeScript: Generator = {
  rateMax: 50_000,
  run: (streams, rate, seconds) => {
    const ports = streams.map(({ source, relay, sink }) => `${source}:${relay}:${sink}`)
    return runGenerator(new URL('./blaster.ts', import.meta.url).href, [rate, seconds, ...ports])
  },
  dispose: () => undefined,
}

function inC(program: string, folder: string): Omit<Generator, 'dispose'> {
  return {
    rateMax: 150_000,
    run: async (streams, rate, seconds) => {
      const file = join(folder, 'streams')
      writeFileSync(file, streams.map(({ source, relay, sink }) => `${source} ${relay} ${sink}\n`).join(''))
      const running = startPinned(generatorCore, program, [file, rate, seconds, payloadBytes].map(String))
      const code = await running.exited
      const found = /sent (\d+) got (\d+) .* p50 (\d+) p99 (\d+)/.exec(running.output())
      if (code !== 0 || found === null) throw new Error(`rtpblast ended with ${code}:\n${running.output()}`)
      const [begun = 0, done = 0, latencyUsP50 = 0, latencyUsP99 = 0] = found.slice(1).map(Number)
      return { begun, done, latencyUsP50, latencyUsP99 }
    },
  }
}
