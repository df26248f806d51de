import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ExecutionProvider } from "../../src/domain/execution-provider.ts";
import { ModelExecutions } from "../../src/inference/model-executions.ts";
import { goldenBatch } from "../../src/inference/model-load.ts";
import { ProviderChoice } from "../../src/inference/provider-choice.ts";
import { explainProviderFailure } from "../../src/inference/provider-failure.ts";
import { tryProvider } from "../../src/inference/provider-trial.ts";
import { RemoteWorker } from "../../src/inference/remote-worker.ts";
import { readRepository, type StoredModel } from "../../src/inference/repository.ts";
import { spawnWorkerThread } from "../../src/inference/worker-thread.ts";
import { splitModel } from "../support/split-model.ts";
import { openTinyScorer, tinyModels } from "../support/tiny-models.ts";

const linear = { name: "linear", version: "1" };
const packageFolder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
const cudaIsInstalled = existsSync(
  join(packageFolder, `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_shared.so`),
);

// No driver, on whatever machine: WebGPU is there in ONNX Runtime and finds nothing to run on.
beforeAll(() => {
  process.env["VK_ICD_FILENAMES"] = "/nonexistent.json";
});

describe("a provider that cannot run is explained by what ONNX Runtime wrote:", () => {
  const library = (path: string, missing: string) =>
    `[E:onnxruntime:onnxruntime-node, provider_bridge_ort.cc:2146 Create] [ONNXRuntimeError] : 1 : FAIL : Failed to load library ${path} with error: ${missing}: cannot open shared object file: No such file or directory\n\ntrial: OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library\n`;
  const folder = "/srv/setlist/node_modules/onnxruntime-node/bin/napi-v6/linux/x64";
  test.each<[string, ExecutionProvider, string, RegExp]>([
    [
      "the package's own library",
      "cuda",
      library(`${folder}/libonnxruntime_providers_shared.so`, `${folder}/libonnxruntime_providers_shared.so`),
      /^libonnxruntime_providers_shared\.so is missing; install it with: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --ignore-scripts=false$/,
    ],
    [
      "a library of CUDA's, in the version that is wanted",
      "cuda",
      library(`${folder}/libonnxruntime_providers_cuda.so`, "libcublasLt.so.13"),
      /^libcublasLt\.so\.13 is missing; install it with: apt-get install cuda-toolkit-13$/,
    ],
    [
      "cuDNN",
      "cuda",
      library(`${folder}/libonnxruntime_providers_cuda.so`, "libcudnn.so.9"),
      /^libcudnn\.so\.9 is missing; .*libcudnn9-cuda-12$/,
    ],
    [
      "TensorRT",
      "tensorrt",
      library(`${folder}/libonnxruntime_providers_tensorrt.so`, "libnvinfer.so.10"),
      /^libnvinfer\.so\.10 is missing; .*libnvinfer-plugin10/,
    ],
    [
      "a library that nobody knows",
      "cuda",
      library(`${folder}/libonnxruntime_providers_cuda.so`, "libwonder.so.1"),
      /^libwonder\.so\.1 is missing; .*apt-file search libwonder\.so\.1$/,
    ],
    [
      "no GPU",
      "webgpu",
      "\ntrial: /onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::X()::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n",
      /^no GPU with a Vulkan driver was found; install one with: apt-get install /,
    ],
    [
      "a platform without it",
      "tensorrt",
      "\ntrial: no available backend found. ERR: [tensorrt] backend not found.\n",
      new RegExp(`^onnxruntime-node for ${process.platform}/${process.arch} has no tensorrt$`),
    ],
    [
      "anything else, in ONNX Runtime's own words",
      "cuda",
      "\ntrial: CUDA failure 100: no CUDA-capable device is detected\n",
      /^CUDA failure 100: no CUDA-capable device is detected$/,
    ],
    ["nothing, for it crashed", "webgpu", "", /^its trial ended with SIGSEGV$/],
  ])("%s", (_what, provider, written, sentence) => {
    expect(explainProviderFailure(provider, written, "its trial ended with SIGSEGV")).toMatch(sentence);
  });
});

describe("tried for real, in a process of its own,", () => {
  test("the CPU always runs", async () => {
    expect(await tryProvider("cpu")).toBeUndefined();
  });

  test("WebGPU without a driver does not", async () => {
    expect(await tryProvider("webgpu")).toMatch(/libvulkan\.so\.1 is missing|no GPU with a Vulkan driver/);
  });

  test.skipIf(cudaIsInstalled).each(["cuda", "tensorrt"] as const)(
    "%s without its libraries names the first of them",
    async (provider) => {
      expect(await tryProvider(provider)).toMatch(
        /^libonnxruntime_providers_shared\.so is missing; install it with: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild/,
      );
    },
  );
});

describe("of a list", () => {
  function choice(
    lists: { all: ExecutionProvider[]; own?: ExecutionProvider[] },
    lacking: ExecutionProvider[],
  ) {
    const warnings: string[] = [];
    const tried: ExecutionProvider[] = [];
    const perModel = new Map(lists.own === undefined ? [] : [["kd", { executionProviders: lists.own }]]);
    const made = new ProviderChoice(
      { executionProviders: lists.all, perModel },
      (warning) => warnings.push(warning),
      async (provider) => {
        tried.push(provider);
        return lacking.includes(provider) ? `lib${provider}.so is missing` : undefined;
      },
    );
    return { choice: made, warnings, tried };
  }

  test("all that can run are used, in their order, and each is tried once whatever the number of models", async () => {
    const { choice: all, warnings, tried } = choice({ all: ["tensorrt", "cuda", "cpu"], own: ["cuda"] }, []);
    expect(await all.of("control")).toEqual({
      configured: ["tensorrt", "cuda", "cpu"],
      usable: ["tensorrt", "cuda", "cpu"],
    });
    expect((await all.of("kd")).usable).toEqual(["cuda"]);
    await all.of("control");
    expect(tried.sort()).toEqual(["cpu", "cuda", "tensorrt"]);
    expect(warnings).toEqual([]);
  });

  test("what cannot run is passed over, with one warning", async () => {
    const { choice: all, warnings } = choice({ all: ["tensorrt", "cuda", "cpu"] }, ["tensorrt"]);
    expect((await all.of("control")).usable).toEqual(["cuda", "cpu"]);
    await all.of("radio");
    expect(warnings).toEqual([
      "inference.executionProviders: tensorrt cannot run here: libtensorrt.so is missing; going on with cuda, cpu",
    ]);
  });

  test("nothing can run: refused with the model's own field and what each lacks", async () => {
    const { choice: all } = choice({ all: ["cpu"], own: ["tensorrt", "cuda"] }, ["tensorrt", "cuda"]);
    await expect(all.of("kd")).rejects.toThrow(
      /^inference\.perModel\.kd\.executionProviders: tensorrt cannot run here: libtensorrt\.so is missing; cuda cannot run here: libcuda\.so is missing; or list cpu behind it to go on without$/,
    );
    expect((await all.of("control")).usable).toEqual(["cpu"]);
  });
});

describe("a scorer", () => {
  test("says that a model runs on the CPU, and what was asked for, where WebGPU cannot be had", async () => {
    const warnings: string[] = [];
    const scorer = await openTinyScorer({
      models: [linear],
      executionProviders: ["webgpu", "cpu"],
      onWarning: (warning) => warnings.push(warning),
    });
    expect(scorer.execution(linear)).toEqual({
      configured: ["webgpu", "cpu"],
      provider: "cpu",
      operators: undefined,
    });
    expect(scorer.execution({ name: "linear", version: "2" })).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringMatching(/^inference\.executionProviders: webgpu cannot run here: .*; going on with cpu$/),
    ]);
  });

  test("does not open where no listed provider can run", async () => {
    const opening = openTinyScorer({ models: [linear], executionProviders: ["webgpu"] });
    await expect(opening).rejects.toThrow(/^inference\.executionProviders: webgpu cannot run here: /);
  });

  test("does not open with settings for a model that it does not load", async () => {
    const perModel = new Map([["linaer", { executionProviders: ["cpu"] as const }]]);
    await expect(openTinyScorer({ models: [linear], perModel })).rejects.toThrow(
      'inference.perModel.linaer: expected the name of a loaded model, found none of that name (did you mean "linear"?)',
    );
  });
});

describe("an order's providers reach ONNX Runtime", () => {
  async function load(repository: string, providers: readonly ExecutionProvider[]) {
    const thread = new RemoteWorker(spawnWorkerThread);
    onTestFinished(() => thread.exit());
    const [stored] = (await readRepository(repository, [linear], "student", () => undefined)) as [
      StoredModel,
    ];
    const { model, outputName } = stored.manifest;
    const order = { graph: stored.graph, inputs: model.inputs, outputName, tasks: model.tasks.length };
    return {
      thread,
      stored,
      order,
      loaded: await thread.call({ kind: "load", model: 0, ...order, providers }),
    };
  }

  test("for the whole graph", async () => {
    const { loaded } = await load(tinyModels, ["webgpu"]);
    expect(loaded).toMatchObject({ kind: "failed", message: expect.stringContaining("WebGPU adapter") });
  });

  test("for the item graph and the request graph", async () => {
    const { repository } = await splitModel();
    const { thread, stored, order } = await load(repository, ["cpu"]);
    const { item, request, rowWidth } = stored.split as NonNullable<StoredModel["split"]>;
    const graphs = {
      ...order,
      item,
      request,
      rowWidth,
      providers: ["webgpu"] as const,
    };
    expect(await thread.call({ kind: "load-split", model: 0, graphs })).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("WebGPU adapter"),
    });
    // What stood there before is not lost over it.
    const batch = goldenBatch(stored, stored.golden as NonNullable<StoredModel["golden"]>);
    expect(await thread.call({ kind: "run", model: 0, batch }, [batch.buffer])).toMatchObject({
      kind: "scored",
    });
  });
});

describe("what a model runs on", () => {
  const chosen = { configured: ["cuda", "cpu"], usable: ["cuda", "cpu"] } as const;

  test("is the provider of most of its operators", () => {
    const warnings: string[] = [];
    const executions = new ModelExecutions((warning) => warnings.push(warning));
    executions.note(linear, chosen, { cpu: 4, cuda: 70 });
    expect(executions.of(linear)?.provider).toBe("cuda");
    executions.note(linear, chosen, { cpu: 60, cuda: 14 });
    expect(executions.of(linear)?.provider).toBe("cpu");
    expect(warnings).toEqual([]);
  });

  test("is a warning where the wanted provider loads and then runs nothing", () => {
    const warnings: string[] = [];
    const executions = new ModelExecutions((warning) => warnings.push(warning));
    executions.note(linear, chosen, { cpu: 74 });
    expect(executions.of(linear)).toEqual({
      configured: ["cuda", "cpu"],
      provider: "cpu",
      operators: { cpu: 74 },
    });
    expect(warnings).toEqual(["model linear/1: cuda loads but ran none of its operators; cpu did"]);
  });
});
