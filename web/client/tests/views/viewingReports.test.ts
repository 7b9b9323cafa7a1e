import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'

import { Api } from '@/protocol/http/api'
import { HttpClient } from '@/protocol/http/client'
import { useViewingReports, type ViewingReports } from '@/views/recordings/useViewingReports'

/** What the server counts at most with one report, in seconds on the wall: LONGEST_REPORT of recordings/viewing. */
const COUNTED_AT_ONCE = 120

let scope: EffectScope
let line: 'whole' | 'broken'
let told: [number, number][][]
let paces: number[]

beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
  line = 'whole'
  told = []
  paces = []
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

function reporting(): ViewingReports {
  const http = new HttpClient('https://huitang.example/api', async (input, init) => {
    if (line === 'broken') throw new TypeError('Failed to fetch')
    const report = (await new Request(input, init).json()) as { intervals: [number, number][]; rate: number }
    told.push(report.intervals)
    paces.push(report.rate)
    return Response.json({ intervals: report.intervals })
  })
  const reports = scope.run(() =>
    useViewingReports(
      new Api(http),
      'film',
      () => 1,
      () => undefined,
      () => undefined,
    ),
  )
  if (!reports) throw new Error('the scope has ended')
  return reports
}

/** Play from one second of the film on until another, or until nothing more would count; answers where it stopped. */
async function play(reports: ViewingReports, from: number, to: number, rate: number): Promise<number> {
  for (let at = from; at < to; at += rate / 4) {
    reports.advance(at, rate)
    if (reports.full.value) return at
    await vi.advanceTimersByTimeAsync(250)
  }
  return to
}

test.each([0.5, 1, 2])('at %s times the speed, nothing watched through a break is lost', async (rate) => {
  const reports = reporting()
  await play(reports, 0, 60 * rate, rate)
  expect(reports.failing.value).toBe(false)
  const before = told.length

  line = 'broken'
  const stopped = await play(reports, 60 * rate, 3600, rate)
  expect(reports.failing.value).toBe(true)
  expect(stopped).toBeLessThan((60 + COUNTED_AT_ONCE) * rate)
  expect(stopped).toBeGreaterThan((60 + 80) * rate)
  reports.pause()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(reports.full.value).toBe(true)

  line = 'whole'
  await vi.advanceTimersByTimeAsync(10_000)
  expect([reports.failing.value, reports.full.value]).toEqual([false, false])
  const [report, ...others] = told.slice(before)
  expect(others).toEqual([])
  const last = report?.at(-1)
  expect(last?.[1]).toBeCloseTo(stopped)
  expect(((last?.[1] ?? 0) - (report?.[0]?.[0] ?? 0)) / rate).toBeLessThan(COUNTED_AT_ONCE)
})

test('on a whole line one may watch for hours', async () => {
  const reports = reporting()
  expect(await play(reports, 0, 1200, 1)).toBe(1200)
})

test('what was played fast through a break is told as such, though it plays slowly now', async () => {
  const reports = reporting()
  line = 'broken'
  await play(reports, 0, 60, 2)
  reports.pause()
  await play(reports, 60, 75, 1)
  line = 'whole'
  await play(reports, 75, 90, 1)
  expect([paces, told[0]?.[0]?.[0]]).toEqual([[2, 1], 0])
})
