"""deploy/: what a chart's values must not do, read from the files themselves."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
VALUES = yaml.safe_load((DEPLOY / "milvus-values.yaml").read_text(encoding="utf-8"))
REDIS = list(yaml.safe_load_all((DEPLOY / "redis.yaml").read_text(encoding="utf-8")))
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
PARTS = ("proxy", "mixCoordinator", "queryNode", "dataNode", "streamingNode")


def leaves(value, name=""):
    """All values of a file with the key each stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    else:
        yield name, value


def may_publish(values):
    """Whether the port that runs code for whoever asks could be reached from outside."""
    is_open = values["service"]["type"] != "ClusterIP"
    return is_open and values.get("metrics", {}).get("enabled", True)


def test_the_port_of_the_metrics_is_never_published():
    assert not may_publish(VALUES)
    assert may_publish({"service": {"type": "LoadBalancer"}})
    assert not may_publish({"service": {"type": "LoadBalancer"}, "metrics": {"enabled": False}})


@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_fail_and_each_knows_the_storage(part):
    assert VALUES[part]["replicas"] == 2
    secrets = {
        one["name"]: (
            one["valueFrom"]["secretKeyRef"]["name"],
            one["valueFrom"]["secretKeyRef"]["key"],
        )
        for one in VALUES[part]["extraEnv"]
    }
    # minio.existingSecret does not reach Milvus.
    storage = VALUES["minio"]["existingSecret"]
    assert secrets["MINIO_ACCESS_KEY_ID"] == (storage, "accesskey")
    assert secrets["MINIO_SECRET_ACCESS_KEY"] == (storage, "secretkey")
    assert secrets["COMMON_SECURITY_DEFAULTROOTPASSWORD"] == ("milvus-root", "password")


def test_two_coordinators_take_turns():
    assert VALUES["mixCoordinator"]["activeStandby"] == {"enabled": True}


def test_the_stores_beside_it():
    assert VALUES["etcd"]["replicaCount"] == 3
    assert (VALUES["minio"]["mode"], VALUES["minio"]["replicas"]) == ("distributed", 4)
    assert VALUES["streaming"]["woodpecker"]["embedded"]
    assert not any(VALUES[log]["enabled"] for log in ("pulsarv3", "pulsar", "kafka"))


def test_milvus_asks_who_comes_and_speaks_tls():
    user = yaml.safe_load(VALUES["extraConfigFiles"]["user.yaml"])
    assert user["common"]["security"] == {"authorizationEnabled": True, "tlsMode": 1}
    (mount,) = VALUES["volumeMounts"]
    for path in user["tls"].values():
        assert path.startswith(f"{mount['mountPath']}/tls.")
    assert [volume["name"] for volume in VALUES["volumes"]] == [mount["name"]]


def test_server_and_client_are_of_one_line():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    client = next(line for line in lines if line.startswith("pymilvus==")).partition("==")[2]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert VALUES["image"]["all"]["tag"].lstrip("v").split(".")[:2] == client.split(".")[:2]
    assert compose["milvus"]["image"].endswith(f":{VALUES['image']['all']['tag']}")
    (container,) = REDIS[1]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == compose["redis"]["image"]


def test_no_password_stands_in_a_file():
    for name, value in [*leaves(VALUES), *leaves(REDIS)]:
        if re.search(r"(?i)password|secretkey$|accesskey$|token", name):
            assert value == "", name
    assert "minioadmin" not in README + (DEPLOY / "milvus-values.yaml").read_text(encoding="utf-8")


def test_every_secret_is_made_by_the_readme():
    text = "".join((DEPLOY / name).read_text() for name in ("milvus-values.yaml", "redis.yaml"))
    named = set(re.findall(r"secretKeyRef: \{ name: ([\w-]+)|secretName: ([\w-]+)", text))
    named = {first or second for first, second in named} | {VALUES["minio"]["existingSecret"]}
    assert named == set(re.findall(r"create secret \w+ ([\w-]+)", README))


def test_redis_is_private_and_keeps_what_it_acknowledges():
    service, redis = REDIS
    assert service["spec"]["type"] == "ClusterIP"
    assert service["spec"]["selector"] == redis["spec"]["template"]["metadata"]["labels"]
    spec = redis["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert "--appendfsync always" in container["command"][-1]
    assert '--requirepass "$REDIS_PASSWORD"' in container["command"][-1]
    (claim,) = redis["spec"]["volumeClaimTemplates"]
    assert container["volumeMounts"] == [{"name": claim["metadata"]["name"], "mountPath": "/data"}]
