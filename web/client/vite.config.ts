import { fileURLToPath } from 'node:url'

import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** Where `npm run dev` finds a running server; the build knows no address but its own. */
const server = process.env.HUITANG_SERVER ?? 'http://localhost:8080'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': path('./src'), '@locales': path('../../locales') } },
  define: {
    __VUE_OPTIONS_API__: 'true', // Element Plus has components that use it
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __INTLIFY_DROP_MESSAGE_COMPILER__: 'false',
    __INTLIFY_JIT_COMPILATION__: 'true', // messages become functions without eval, so a strict CSP holds
  },
  build: {
    target: ['chrome94', 'edge94', 'firefox102', 'safari15.4'], // WebRTC with simulcast, and phones of some years ago
    manifest: 'manifest.json',
    chunkSizeWarningLimit: 1000, // tools/finish-build.mjs has the real limit, on what a page loads
  },
  server: { proxy: { '/api': server, '/socket.io': { target: server, ws: true } } },
  preview: { proxy: { '/api': server, '/socket.io': { target: server, ws: true } } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node', restoreMocks: true, testTimeout: 10_000 },
})
