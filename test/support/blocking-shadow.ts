/**
 * A worker thread with both doors, whose shadow model stops the thread for half a second with each request: what has not
 * left by then does not leave earlier. Posts the doors' addresses, then `settled` behind every such stop.
 */
import { parentPort } from "node:worker_threads";
import { Shadows } from "../../src/serving/shadows.ts";
import { openDoors, testModel } from "./doors.ts";

const stopMs = 500;
const stop = new Int32Array(new SharedArrayBuffer(4));
const shadow = { model: { name: "home-kd" }, share: 1, topK: 10 };
const doors = await openDoors({
  ports: {
    surfaces: new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 5_000, shadow }]]),
    shadows: new Shadows({
      clock: { now: () => 0, monotonic: () => 0 },
      scorer: {
        resolve: () => ({ ...testModel, name: "home-kd" }),
        candidatesMax: () => Number.POSITIVE_INFINITY,
        scoreSpare: () => Promise.reject(new Error("unused")),
      },
      features: {
        encode() {
          Atomics.wait(stop, 0, 0, stopMs);
          return Promise.reject(new Error("the thread stood still"));
        },
      },
      log: { appendShadow: () => Promise.reject(new Error("unused")) },
      observer: {
        compared: () => {},
        settled: () => parentPort?.postMessage("settled"),
        settledOtherArm: () => {},
      },
    }),
  },
});
parentPort?.postMessage({ http: doors.http, grpc: doors.grpcAddress });
