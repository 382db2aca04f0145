"""Checks what no schema of Kubernetes says about the manifests: that they fit each other.

    python check_manifests.py FOLDER

Exits 1 with a line for each thing that is wrong.
"""

import pathlib
import sys

import yaml


def documents(folder):
    """Every object of the folder as (file name, object), the kustomization apart."""
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if path.name != "kustomization.yaml":
                yield path.name, document


def problems(folder):
    objects = {document["kind"]: (name, document) for name, document in documents(folder)}
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    listed = set(kustomization["resources"])
    present = {name for name, _ in documents(folder)}
    for name in sorted(listed ^ present):
        yield f"kustomization.yaml and the folder disagree on {name}"

    name, deployment = objects["Deployment"]
    pod = deployment["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    container = pod["spec"]["containers"][0]
    ports = {port["name"] for port in container["ports"]}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        if container[kind]["httpGet"]["port"] not in ports:
            yield f"{name}: the {kind} asks a port that the container does not name"
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
    for volume in sorted(mounts ^ volumes):
        yield f"{name}: volume and mount disagree on {volume}"
    for volume in pod["spec"]["volumes"]:
        for kind, key in (("ConfigMap", ("configMap", "name")), ("Secret", ("secret", "secretName"))):
            wanted = volume.get(key[0], {}).get(key[1])
            if wanted and objects[kind][1]["metadata"]["name"] != wanted:
                yield f"{name}: no {kind} {wanted}"

    selectors = {
        "Deployment": deployment["spec"]["selector"]["matchLabels"],
        "Service": objects["Service"][1]["spec"]["selector"],
        "PodDisruptionBudget": objects["PodDisruptionBudget"][1]["spec"]["selector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        if not selector.items() <= labels:
            yield f"{objects[kind][0]}: selects other pods than the deployment's"

    settings = yaml.safe_load(objects["ConfigMap"][1]["data"]["apus.yaml"])
    yield from scaler_problems(*objects["ScaledObject"], deployment, settings)


def scaler_problems(name, scaler, deployment, settings):
    """KEDA's own rules (https://keda.sh/docs/latest/reference/scaledobject-spec/) and agreement with apus.yaml."""
    if scaler["apiVersion"] != "keda.sh/v1alpha1":
        yield f"{name}: unknown version {scaler['apiVersion']}"
    spec = scaler["spec"]
    known = {
        "scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount",
        "minReplicaCount", "maxReplicaCount", "fallback", "advanced", "triggers",
    }
    for key in sorted(spec.keys() - known):
        yield f"{name}: KEDA knows no spec.{key}"
    if spec["scaleTargetRef"]["name"] != deployment["metadata"]["name"]:
        yield f"{name}: scales another deployment"
    if not spec["minReplicaCount"] <= deployment["spec"]["replicas"] <= spec["maxReplicaCount"]:
        yield f"{name}: the deployment's replicas are outside its bounds"
    for trigger in spec["triggers"]:
        metadata = trigger["metadata"]
        # KEDA takes text only.
        for key, value in metadata.items():
            if not isinstance(value, str):
                yield f"{name}: {key} must be in quotes"
        if trigger["type"] != "kafka":
            yield f"{name}: scales by {trigger['type']}, not by lag"
        if metadata["consumerGroup"] != settings["application"]:
            yield f"{name}: the consumer group is not the application of apus.yaml"
        if metadata["bootstrapServers"] not in settings["kafka"]["brokers"]:
            yield f"{name}: asks other brokers than apus.yaml names"
        if metadata["topic"] not in {topic["name"] for topic in settings["input"]["topics"]}:
            yield f"{name}: the topic is no input of apus.yaml"


def main():
    found = list(problems(pathlib.Path(sys.argv[1])))
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
