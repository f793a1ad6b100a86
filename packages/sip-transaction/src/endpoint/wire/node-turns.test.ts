import { describe, expect, it } from 'vitest'
import { createNodeLoadProbe, createNodeTurns } from './node-turns'

/** Keeps the thread busy. */
function work(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('turns of the event loop', () => {
  it('have time until their share is used up, and again in the next', async () => {
    const turns = createNodeTurns(5)
    expect(turns.hasTime()).toBe(true)
    work(6)
    expect(turns.hasTime()).toBe(false)
    await nextTurn()
    await nextTurn()
    expect(turns.hasTime()).toBe(true)
  })

  it('do what waits in order, in several turns when it takes long, and one piece a turn at least', async () => {
    const turns = createNodeTurns(2)
    const done: number[] = []
    for (let piece = 0; piece < 6; piece += 1)
      turns.later(() => {
        work(3)
        done.push(piece)
      })
    expect(done).toEqual([])
    const seen: number[] = []
    while (done.length < 6) {
      await nextTurn()
      seen.push(done.length)
    }
    expect(done).toEqual([0, 1, 2, 3, 4, 5])
    expect(new Set(seen).size).toBeGreaterThanOrEqual(6)
  })

  it('give work that came in and work that waited one share of a pass of the loop, not one each', async () => {
    const turns = createNodeTurns(10)
    let worked = 0
    await nextTurn()
    // A poll of the loop: something comes in and takes the share, the rest has to wait.
    await new Promise<void>((resolve) =>
      setTimeout(() => {
        expect(turns.hasTime()).toBe(true)
        work(11)
        expect(turns.hasTime()).toBe(false)
        for (let piece = 0; piece < 3; piece += 1)
          turns.later(() => {
            worked += 1
          })
        resolve()
      }),
    )
    await nextTurn()
    expect(worked).toBe(0)
    expect(turns.hasTime()).toBe(false)
    await nextTurn()
    expect(worked).toBe(3)
  })

  it('let promises settle between two pieces of what waited', async () => {
    const turns = createNodeTurns(50)
    const done: string[] = []
    for (const piece of ['a', 'b'])
      turns.later(() => {
        done.push(piece)
        void Promise.resolve().then(() => done.push(`after ${piece}`))
      })
    while (done.length < 4) await nextTurn()
    expect(done).toEqual(['a', 'after a', 'b', 'after b'])
  })

  it('put what work leaves for later behind what waits already: nobody starves', async () => {
    const turns = createNodeTurns(1)
    const done: string[] = []
    const greedy = () => {
      work(2)
      done.push('greedy')
      if (done.length < 50) turns.later(greedy)
    }
    turns.later(greedy)
    turns.later(() => done.push('modest'))
    while (!done.includes('modest')) await nextTurn()
    expect(done.length).toBeLessThan(5)
    while (done.length < 50) await nextTurn()
  })

  it('measure what keeps the loop waiting', async () => {
    const probe = createNodeLoadProbe()
    try {
      expect(probe.delayMs()).toBe(0)
      for (let time = 0; time < 3; time += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        work(120)
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
      expect(probe.delayMs()).toBeGreaterThan(30)
    } finally {
      probe.close()
    }
  })

  it('rest after a pass under load, so that more comes together, and not otherwise', async () => {
    const coalescing = { restMs: 3, fromPerSecond: 1_000 }
    const passMs = async (turns: ReturnType<typeof createNodeTurns>, datagrams: number) => {
      const startMs = performance.now()
      for (let datagram = 0; datagram < datagrams; datagram += 1) turns.hasTime()
      await nextTurn()
      return performance.now() - startMs
    }
    const resting = createNodeTurns(5, coalescing)
    const restless = createNodeTurns(5)
    const quickest = { resting: Number.POSITIVE_INFINITY, restless: Number.POSITIVE_INFINITY }
    // The first look decides what the passes after it do.
    await passMs(resting, 14)
    await new Promise((resolve) => setTimeout(resolve, 12))
    await passMs(resting, 14)
    for (let pass = 0; pass < 8; pass += 1) {
      quickest.resting = Math.min(quickest.resting, await passMs(resting, 14))
      quickest.restless = Math.min(quickest.restless, await passMs(restless, 14))
    }
    expect(quickest.resting).toBeGreaterThan(2)
    expect(quickest.restless).toBeLessThan(2)
  })
})
